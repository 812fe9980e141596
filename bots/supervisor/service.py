"""One server program that the supervisor starts and starts again: NATS, miniircd, the
sandbox guild, the page, the local model.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from bots.settings import child_environment
from bots.supervisor.leash import leashed
from bots.supervisor.ports import LOOPBACK

START_WITHIN_S = 10.0
_LONGEST_PAUSE_S = 5.0
_LOOK_EVERY_S = 0.02


class ServiceFailed(Exception):
    """A server program does not come up; its log says why."""


@dataclass(frozen=True)
class Program:
    name: str
    command: list[str]
    port: int
    #: it gives up root after its start, which takes another kind of leash
    changes_user: bool = False
    #: it is a module of this project, which it must find whatever folder we were started in
    is_ours: bool = False
    #: path that answers 200 once it can serve; empty: to take connections is enough
    health: str = ""

    def environment(self) -> dict[str, str]:
        if not self.is_ours:
            return child_environment()
        return child_environment(PYTHONPATH=os.pathsep.join(p for p in sys.path if p))


class Service:
    """Keeps one program running until `stop`, on the same port, so its clients find it again."""

    def __init__(
        self, program: Program, log_file: Path, *, rng: random.Random, log: FilteringBoundLogger
    ) -> None:
        self.program = program
        self._log_file = log_file
        self._rng = rng
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._up = asyncio.Event()
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    @property
    def up(self) -> bool:
        """It answers on its port, as far as the last look tells."""
        return self._up.is_set()

    async def start(self, within_s: float = START_WITHIN_S) -> None:
        """Start it and wait until it listens; raises `ServiceFailed`."""
        self._keeper = asyncio.create_task(self._keep())
        try:
            async with asyncio.timeout(within_s):
                await self._up.wait()
        except TimeoutError:
            await self.stop()
            raise ServiceFailed(
                f"{self.program.name} does not come up on port {self.program.port}: see its log, "
                f"{self._log_file.name} in the state folder's logs"
            ) from None

    async def stop(self) -> None:
        """SIGTERM to the whole group, SIGKILL after two seconds."""
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        process = self._process
        if process is None or process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(2):
                await process.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            await process.wait()

    async def _keep(self) -> None:
        pause_s = 0.1
        while True:
            try:
                self._process = await self._launch()
            except OSError as error:
                # No process, or no descriptor, to be had at this moment.
                self._log.warning(
                    "service.unstartable", service=self.program.name, error=str(error)
                )
                await asyncio.sleep(pause_s)
                pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
                continue
            ended = asyncio.create_task(self._process.wait())
            listening = asyncio.create_task(self._wait_until_listening())
            await asyncio.wait({ended, listening}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done() and not ended.done():
                self._up.set()
                pause_s = 0.1
            listening.cancel()
            code = await ended
            self._up.clear()
            # A guard that was killed by itself leaves its program: nothing of the group may stay.
            self._signal(signal.SIGKILL)
            self.restarts += 1
            self._log.warning("service.ended", service=self.program.name, code=code)
            await asyncio.sleep(pause_s * self._rng.uniform(0.5, 1))
            pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)

    async def _launch(self) -> asyncio.subprocess.Process:
        with self._log_file.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *leashed(self.program.command, changes_user=self.program.changes_user),
                # The pipe is what a guard watches; it ends with this process, however it ends.
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=self.program.environment(),
            )

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        # The shim made itself leader of a group of its own before anything else.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _wait_until_listening(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection(LOOPBACK, self.program.port)
            except OSError:
                await asyncio.sleep(_LOOK_EVERY_S)
                continue
            try:
                if not self.program.health or await _is_healthy(
                    reader, writer, self.program.health
                ):
                    return
            finally:
                writer.close()
            await asyncio.sleep(_LOOK_EVERY_S)


async def _is_healthy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str
) -> bool:
    """Whether a GET for `path` is answered by 200."""
    writer.write(f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}\r\n\r\n".encode())
    try:
        status = await reader.readline()
    except OSError:
        return False
    return status.split()[1:2] == [b"200"]
