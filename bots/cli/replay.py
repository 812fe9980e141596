"""`run.py replay`: a log spoken into the IRC server, or stored under its own times."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from bots.cli.exits import CommandError, Exit
from bots.cli.project import DEFAULT_CONFIG, ConfigOption, open_project
from bots.replay.connection import Gone
from bots.replay.keep import keep_log, lines_of
from bots.replay.pace import due_s
from bots.replay.parse import Log, parse
from bots.replay.speak import Speaker, Spoken
from bots.settings import Settings
from bots.state import StateFolder, database_url
from bots.supervisor.folder_lock import is_locked
from storage.errors import StorageError
from storage.migrate import upgrade
from storage.store import Store

LOOPBACK = ("127.0.0.1", "::1", "localhost")
NETWORK = "irc"

stderr = Console(stderr=True)


def replay(
    logfile: Annotated[
        Path, typer.Argument(help="A channel log, as irssi or Ubuntu's bot write it.")
    ],
    *,
    channel: Annotated[str, typer.Option(help="Where to, such as '#ubuntu'.")],
    speed: Annotated[
        str, typer.Option(help="max, or how many times faster than it was: 1 is real time.")
    ] = "max",
    day: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Do not speak: store the lines under their own times, as of this day (UTC).",
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Let a channel log happen again.

    Every nick of the log gets a connection to the swarm's IRC server, joins, speaks, is renamed
    and leaves as the log says, in the order of the log. The swarm hears it like any other talk.

    With [bold]--day[/bold] nothing is spoken: the lines go straight into the record, dated. Doing
    that twice stores nothing twice.
    """
    if not channel.startswith(("#", "&")):
        raise CommandError(f"--channel {channel}: a channel begins with '#'", Exit.USAGE)
    factor = _speed(speed)
    settings, state = open_project(config)
    log = _read(logfile)
    try:
        if day is not None:
            asyncio.run(_store(log, settings, state, channel, day.date()))
        else:
            host, port = _irc_server(settings, state)
            _warn_if_nobody_listens(settings, channel)
            asyncio.run(_speak(log, settings, (host, port), channel, factor))
    except Gone as gone:
        raise CommandError(f"the IRC server ended the replay: {gone}") from None
    except StorageError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"the IRC server cannot be reached: {error}", Exit.NOT_RUNNING) from None


def _speed(word: str) -> float | None:
    if word == "max":
        return None
    try:
        factor = float(word.removesuffix("x"))
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise CommandError(f"--speed {word}: write max, or a number above 0", Exit.USAGE)
    return factor


def _read(path: Path) -> Log:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror}", Exit.USAGE) from None
    log = parse(text.split("\n"))
    strange = [line for line in log.unread if line.line.strip()]
    if not log.events:
        raise CommandError(f"{path}: no line of it looks like a channel log", Exit.USAGE)
    for line in strange[:3]:
        stderr.print(f"line {line.number} is not understood: {line.line[:70]!r}", style="yellow")
    if strange:
        stderr.print(f"{len(strange)} of {len(text.splitlines())} lines left out", style="yellow")
    return log


def _irc_server(settings: Settings, state: StateFolder) -> tuple[str, int]:
    running = state.read_supervisor() if is_locked(state) else None
    if running is None:
        raise CommandError(
            "no swarm runs here, so there is no IRC server to speak to: run.py up", Exit.NOT_RUNNING
        )
    host, port = running["irc"]["host"], running["irc"]["port"]
    if settings.irc.host and host not in LOOPBACK:
        raise CommandError(
            f"{host} is somebody else's network, and hundreds of connections would flood it; "
            "use --day to store the log, or a swarm with the sandbox's own server"
        )
    return host, port


def _warn_if_nobody_listens(settings: Settings, channel: str) -> None:
    joined = {c.lower() for agent in settings.agents for c in settings.channels_of(agent)}
    if channel.lower() not in joined:
        stderr.print(
            f"no agent sits in {channel}; name it in some agent's channels (swarm.toml)",
            style="yellow",
        )


async def _speak(
    log: Log, settings: Settings, server: tuple[str, int], channel: str, speed: float | None
) -> None:
    taken = frozenset(agent.nick for agent in settings.agents)
    speaker = Speaker(*server, channel, taken=taken)
    clock = asyncio.get_running_loop().time
    try:
        with _progress() as progress:
            task = progress.add_task("everybody joins", total=None)
            await speaker.seat(log.events)
            progress.update(task, description=f"speaking in {channel}", total=len(log.events))
            started_s = clock()
            due = due_s(log.events, speed)
            spoken = await speaker.tell(log.events, due, _counter(progress, task))
            took_s = clock() - started_s
        await speaker.leave()
    except ExceptionGroup as group:
        # seat() opens many connections at once; the first that failed says why.
        raise group.exceptions[0] from None
    finally:
        speaker.abort()
    _report(spoken, took_s, channel)


async def _store(log: Log, settings: Settings, state: StateFolder, channel: str, day: date) -> None:
    state.create()
    store = await Store.open(database_url(settings, state))
    try:
        await upgrade(store, state.path / "migrate.lock")
        lines = lines_of(
            log.events,
            network=NETWORK,
            channel=channel,
            day=day,
            now=datetime.now(UTC),
            trace_id=f"replay-{secrets.token_hex(6)}",
        )
        with _progress() as progress:
            task = progress.add_task(f"storing in {channel}", total=len(lines))
            stored = await keep_log(store, lines, on_kept=_counter(progress, task))
    finally:
        await store.close()
    typer.echo(f"{stored.new} lines stored in {channel}, {stored.known} were known already")


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), console=stderr)


def _counter(progress: Progress, task: object) -> Callable[[int], None]:
    def show(done: int) -> None:
        progress.update(task, completed=done)  # type: ignore[arg-type]

    return show


def _report(spoken: Spoken, took_s: float, channel: str) -> None:
    rate = spoken.lines / took_s if took_s else 0.0
    typer.echo(
        f"{spoken.lines} lines spoken in {channel} by {spoken.connections} connections "
        f"in {took_s:.1f} s ({rate:.0f} lines/s)"
    )
    told: Counter[str] = spoken.told
    typer.echo(", ".join(f"{count} {kind}" for kind, count in told.most_common()))
    for why, count in (spoken.skipped + spoken.refused).most_common():
        typer.echo(f"  {count} x {why}")
    if spoken.refused:
        raise CommandError("the IRC server refused part of it; see above")
