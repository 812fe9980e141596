"""`run.py logs`: what the processes of the swarm wrote, for people."""

from __future__ import annotations

import difflib
import json
import os
import re
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from bots.cli.exits import CommandError, Exit
from bots.cli.project import DEFAULT_CONFIG, ConfigOption, open_project
from bots.state import StateFolder

POLL_S = 0.25
#: strangers' words stand in logs: C0 (but for the line end), DEL and C1
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
COLOURS = {"warning": "yellow", "error": "red", "critical": "red"}
#: shown in front, so not repeated among the facts
FRONT = ("timestamp", "level", "event", "exception", "stack")


def logs(
    agent: Annotated[
        str | None,
        typer.Argument(help="An agent, or supervisor, nats, irc; everybody unless given."),
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="So many last lines each.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="The lines as they are stored.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show the last log lines, oldest first, and follow them with [bold]-f[/bold].

    The files lie in the state folder (logs/NAME.log, one JSON object a line) and outlive the
    swarm, so this works while it is down. Secrets were hidden before they were written.
    """
    _, state = open_project(config)
    readers = {path: Reader(path) for path in _files(state, agent)}
    last = [(path, line) for path, reader in readers.items() for line in reader.last(lines)]
    if len(readers) > 1:
        last.sort(key=lambda found: _parse(found[1]).get("timestamp", ""))
    for path, line in last:
        _show(path, line, as_json=as_json)
    if follow:
        for path, line in _follow(state, agent, readers):
            _show(path, line, as_json=as_json)


def render(name: str, line: str) -> str:
    """One stored line for people: time, process, event, facts; nothing in it steers a terminal."""
    return _CONTROL.sub("\ufffd", _rendered(name, line))


def _rendered(name: str, line: str) -> str:
    facts = _parse(line)
    if not facts:
        return f"{name}: {line}"
    words = [f"{k}={v if isinstance(v, str) else json.dumps(v)}" for k, v in facts.items()]
    front = f"{str(facts.get('timestamp', ''))[11:23]} {name:<16} {facts.get('event', '')}"
    tail_text = " ".join(word for word in words if word.partition("=")[0] not in FRONT)
    trace = f"\n{facts['exception']}" if "exception" in facts else ""
    return f"{front}  {tail_text}".rstrip() + trace


def _files(state: StateFolder, agent: str | None) -> list[Path]:
    paths = sorted(state.logs.glob("*.log")) if state.logs.is_dir() else []
    if agent is None:
        if not paths:
            raise CommandError("there are no logs yet: the swarm was never up here", Exit.FAILED)
        return paths
    path = state.log_of(agent)
    if path not in paths:
        near = difflib.get_close_matches(agent, [p.stem for p in paths], 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise CommandError(f"there is no log of {agent!r}{hint}", Exit.USAGE)
    return [path]


def _follow(
    state: StateFolder, agent: str | None, readers: dict[Path, Reader]
) -> Iterator[tuple[Path, str]]:
    """Lines as they are written, through rotation and for processes that start later."""
    while True:
        if agent is None:
            for path in _files(state, None):
                # A file that appears now is shown from its beginning.
                if path not in readers:
                    readers[path] = Reader(path)
        quiet = True
        for path, reader in readers.items():
            for line in reader.read():
                quiet = False
                yield path, line
        if quiet:
            time.sleep(POLL_S)


class Reader:
    """What was appended to one file since the last look; starts over when it was rotated."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open(encoding="utf-8", errors="replace")
        self._half = ""

    def last(self, count: int) -> list[str]:
        """The last `count` lines, its rotated predecessor included; `read` goes on."""
        found: deque[str] = deque(maxlen=count)
        before = self._path.with_name(f"{self._path.name}.1")
        if before.exists():
            with before.open(encoding="utf-8", errors="replace") as file:
                found.extend(line.rstrip("\n") for line in file)
        found.extend(self._whole_lines())
        return list(found)

    def read(self) -> Iterator[str]:
        yield from self._whole_lines()
        if self._rotated():
            self._file.close()
            self._file = self._path.open(encoding="utf-8", errors="replace")
            yield from self._whole_lines()

    def _whole_lines(self) -> Iterator[str]:
        *lines, self._half = (self._half + self._file.read()).split("\n")
        yield from lines

    def _rotated(self) -> bool:
        try:
            return self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino
        except FileNotFoundError:
            return False


def _parse(line: str) -> dict[str, Any]:
    try:
        facts = json.loads(line)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _show(path: Path, line: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(line)
        return
    level = str(_parse(line).get("level", ""))
    typer.secho(render(path.stem, line), fg=COLOURS.get(level))
