"""A whole swarm in a folder of its own, started and steered by the real command line.

The tour and the benchmarks run it. It dies with the process that started it, however that one ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bots.cli.control import NoAnswer, Supervisor
from bots.cli.project import ROOT
from bots.settings import load
from bots.state import StateFolder, state_of
from bots.supervisor.leash import leashed

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 15.0
_LOOK_EVERY_S = 0.02


class SandboxFailed(Exception):
    """The swarm does not do as it is told; the message holds its own words."""


@dataclass(frozen=True)
class Done:
    """What a command line printed, its exit code, and the seconds that it took."""

    code: int
    out: str
    err: str
    took_s: float


class Sandbox:
    """`start`, steer, `stop`; nothing of it is left after `stop`, the folder aside."""

    def __init__(self, folder: Path, config: str) -> None:
        """Write `config` (the text of a swarm.toml) to `folder`, which exists."""
        self.folder = folder
        self.config = folder / "swarm.toml"
        self.config.write_text(config, encoding="utf-8")
        self.settings = load(self.config)
        self._process: asyncio.subprocess.Process | None = None
        self._pids: set[int] = set()

    @property
    def state(self) -> StateFolder:
        return state_of(self.config, self.settings)

    @property
    def pid(self) -> int:
        """The supervisor's process."""
        if self._process is None:
            raise SandboxFailed("the swarm was not started")
        return self._process.pid

    @property
    def irc(self) -> tuple[str, int]:
        """Host and port of its IRC server."""
        facts = self.state.read_supervisor()
        if facts is None:
            raise SandboxFailed("the swarm does not run")
        return facts["irc"]["host"], facts["irc"]["port"]

    async def start(self) -> float:
        """`run.py up`; the seconds until every agent was ready. Raises `SandboxFailed`."""
        words = [sys.executable, str(ROOT / "run.py"), "up", "--config", str(self.config)]
        began_s = time.monotonic()
        with (self.folder / "up.log").open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *leashed(words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=ROOT,
            )
        await self.until_all("ready", READY_WITHIN_S)
        return time.monotonic() - began_s

    async def until_all(self, state: str, within_s: float) -> dict[str, Any]:
        """Wait until every agent is in `state`; the status then. Raises `SandboxFailed`."""
        deadline_s = time.monotonic() + within_s
        states: dict[str, str] = {}
        while time.monotonic() < deadline_s:
            if self._process is None or self._process.returncode is not None:
                log = (self.folder / "up.log").read_text(errors="replace")
                raise SandboxFailed(f"the swarm ended by itself: {log.strip()[-500:]}")
            with suppress(NoAnswer, SandboxFailed):
                status = await self.status()
                states = {a["name"]: a["state"] for a in status["agents"]}
                if states and set(states.values()) == {state}:
                    return status
            await asyncio.sleep(_LOOK_EVERY_S)
        raise SandboxFailed(f"not every agent is {state} after {within_s:.0f} s: {states}")

    async def status(self) -> dict[str, Any]:
        """What `run.py status --json` shows, without starting a command line for it."""
        found = await self.get("/status")
        self._pids |= {a["pid"] for a in found["agents"] if a["pid"]}
        self._pids |= {s["pid"] for s in found["services"] if s["pid"]}
        return found

    async def get(self, path: str) -> dict[str, Any]:
        """Ask the supervisor's door. Raises `SandboxFailed` or `NoAnswer`."""
        return await asyncio.to_thread(self._door().get, path)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Tell the supervisor's door. Raises `SandboxFailed`, `NoAnswer` or `CommandError`."""
        return await asyncio.to_thread(self._door().post, path, body)

    async def run(self, command: str, *words: str) -> Done:
        """`run.py COMMAND` for this swarm."""
        began_s = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *leashed([sys.executable, str(ROOT / "run.py"), command]),
            "--config",
            str(self.config),
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        out, err = await process.communicate()
        code = process.returncode if process.returncode is not None else 1
        took_s = time.monotonic() - began_s
        return Done(code, out.decode(errors="replace"), err.decode(errors="replace"), took_s)

    async def stop(self) -> None:
        """End whatever still runs: in order if it can, by force if not. May be called twice."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        self.processes()
        for number, within_s in ((signal.SIGTERM, STOP_WITHIN_S), (signal.SIGKILL, 5.0)):
            with suppress(ProcessLookupError):
                process.send_signal(number)
            with suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await process.wait()
                    return

    def processes(self) -> list[int]:
        """Every process that was ever seen of this swarm, and still lives."""
        if self._process is not None and self._process.returncode is None:
            self._pids |= {self._process.pid, *descendants(self._process.pid)}
        return sorted(pid for pid in self._pids if lives(pid))

    def _door(self) -> Supervisor:
        found = Supervisor.find(self.state)
        if found is None:
            raise SandboxFailed("the swarm does not run")
        return found


def descendants(pid: int) -> list[int]:
    """Children of a process, and theirs (Linux' proc(5); elsewhere an empty list)."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            children = (task / "children").read_text(encoding="ascii")
            for child in map(int, children.split()):
                found += [child, *descendants(child)]
    except OSError:
        # It ended while we looked, or there is no such file here.
        return found
    return found


def lives(pid: int) -> bool:
    """Whether this process runs; one that only waits to be reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return sys.platform != "linux"
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
