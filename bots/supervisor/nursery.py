"""The supervisor's end of the fork server: start it, have agents born, hear of their deaths."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from structlog.typing import FilteringBoundLogger

from bots.settings import child_environment

_PACKET = 1 << 18
#: loading takes about two seconds, a birth some milliseconds
ANSWERS_WITHIN_S = 20.0
#: a fork server that lived this long was sound
_STEADY_S = 10.0
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 5.0


@dataclass(frozen=True)
class Birth:
    pid: int
    #: names exactly this process for as long as it is open; the receiver closes it
    pidfd: int


class NurseryClosed(Exception):
    """The fork server is not there; it is being started again."""


class Nursery:
    """One fork server process. A dead one is not mended: the supervisor makes a new Nursery."""

    def __init__(
        self, *, on_exit: Callable[[str, int, int], None], on_death: Callable[[], None]
    ) -> None:
        self._on_exit = on_exit
        self._on_death = on_death
        self._births: dict[str, asyncio.Future[Birth]] = {}
        self._control: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._loaded = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def start(self, stderr: int, preload: Sequence[str]) -> None:
        """Start the process; it loads in the background, `spawn` waits for that."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _PACKET * 2)
        ours.setblocking(False)
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                # Nothing in the folder where somebody happens to stand is ever imported.
                "-P",
                "-m",
                "bots.supervisor.forkserver",
                str(theirs.fileno()),
                str(os.getpid()),
                *preload,
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                start_new_session=True,
                # The path is how it finds our packages whatever folder we were started in.
                env=child_environment(
                    PYTHONPATH=os.pathsep.join(p for p in sys.path if p),
                    # What is large goes back to the system when it is freed, rather than into
                    # pages that every child would make its own (0.4 MiB each).
                    MALLOC_MMAP_THRESHOLD_="65536",
                ),
            )
        self._control = ours
        asyncio.get_running_loop().add_reader(ours.fileno(), self._read)
        self._tasks.append(asyncio.create_task(self._watch()))

    async def spawn(
        self,
        name: str,
        lifeline: socket.socket,
        settings: str = "",
        within_s: float = ANSWERS_WITHIN_S,
    ) -> Birth:
        """Have agent `name` born with `lifeline` as its end; raises `NurseryClosed`.

        The `settings` (JSON), which are the same for all, it inherits. The rest of its spec goes
        through the lifeline: the fork server, whose memory every agent inherits, never sees a
        secret. A fork server that does not answer is ended, and its agents with it:
        it is of no use.
        """
        try:
            async with asyncio.timeout(within_s):
                return await self._spawn(name, lifeline, settings)
        except TimeoutError:
            if self._process is not None and self._process.returncode is None:
                self._process.kill()
            raise NurseryClosed from None

    async def _spawn(self, name: str, lifeline: socket.socket, settings: str) -> Birth:
        await self._loaded.wait()
        if self._control is None:
            raise NurseryClosed
        birth: asyncio.Future[Birth] = asyncio.get_running_loop().create_future()
        self._births[name] = birth
        digest = hashlib.sha256(settings.encode()).hexdigest()
        order = json.dumps({"op": "spawn", "name": name, "settings": digest}).encode()
        try:
            with _sheet(settings) as sheet:
                socket.send_fds(self._control, [order], [lifeline.fileno(), sheet.fileno()])
        except OSError as error:
            raise NurseryClosed from error
        return await birth

    def close(self) -> None:
        """End the fork server, and by their leash every agent that still runs."""
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            self._control.close()
            self._control = None
        self._loaded.set()
        for birth in self._births.values():
            if not birth.done():
                birth.set_exception(NurseryClosed())
        self._births.clear()

    async def gone(self) -> None:
        """Wait until the process has ended."""
        if self._process is not None:
            await self._process.wait()

    async def _watch(self) -> None:
        assert self._process is not None
        await self._process.wait()
        self.close()
        self._on_death()

    def _read(self) -> None:
        assert self._control is not None
        try:
            packet, fds, _, _ = socket.recv_fds(self._control, _PACKET, 1)
        except BlockingIOError:
            return
        except OSError:
            packet, fds = b"", []
        if not packet:
            asyncio.get_running_loop().remove_reader(self._control.fileno())
            return
        self._handle(json.loads(packet), fds)

    def _handle(self, message: dict[str, Any], fds: list[int]) -> None:
        match message["op"]:
            case "loaded":
                self._loaded.set()
            case "spawned":
                birth = self._births.pop(message["name"], None)
                if birth is None or birth.done():
                    os.close(fds[0])
                else:
                    birth.set_result(Birth(message["pid"], fds[0]))
            case "exited":
                self._on_exit(message["name"], message["pid"], message["code"])


def _sheet(text: str) -> BinaryIO:
    """A file without a name that holds `text`, however long that is."""
    sheet = os.fdopen(os.memfd_create("settings"), "w+b")
    sheet.write(text.encode())
    sheet.seek(0)
    return sheet


class Nurseries:
    """The fork server of the moment; a dead one is replaced, its agents are born again from the
    next.
    """

    def __init__(
        self,
        log_file: Path,
        preload: Sequence[str],
        on_exit: Callable[[str, int, int], None],
        log: FilteringBoundLogger,
    ) -> None:
        self._log_file = log_file
        self._preload = preload
        self._on_exit = on_exit
        self._log = log
        self._nursery: Nursery | None = None
        self._there = asyncio.Event()
        self._starting: asyncio.Task[None] | None = None
        self._stopping = False
        self._began_s = 0.0
        self._pause_s = _FIRST_PAUSE_S

    async def start(self) -> None:
        self._began_s = asyncio.get_running_loop().time()
        nursery = Nursery(on_exit=self._on_exit, on_death=self._dead)
        with self._log_file.open("ab") as output:
            await nursery.start(output.fileno(), self._preload)
        self._nursery = nursery
        self._there.set()

    @property
    def pid(self) -> int | None:
        return self._nursery.pid if self._nursery else None

    async def current(self) -> Nursery:
        """The living one; waits while there is none."""
        await self._there.wait()
        assert self._nursery is not None
        return self._nursery

    async def stop(self) -> None:
        self._stopping = True
        if self._starting is not None:
            self._starting.cancel()
        if self._nursery is not None:
            self._nursery.close()
            await self._nursery.gone()

    def _dead(self) -> None:
        self._there.clear()
        if not self._stopping:
            self._log.warning("forkserver.died")
            self._starting = asyncio.create_task(self._start_again())

    async def _start_again(self) -> None:
        """At once when the last one lived well, else after a pause that grows."""
        if asyncio.get_running_loop().time() - self._began_s >= _STEADY_S:
            self._pause_s = _FIRST_PAUSE_S
        while True:
            await asyncio.sleep(self._pause_s)
            self._pause_s = min(_LONGEST_PAUSE_S, self._pause_s * 2)
            try:
                await self.start()
            except OSError as error:
                self._log.warning("forkserver.unstartable", error=str(error))
            else:
                return
