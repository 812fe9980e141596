"""What the IRC tests play with: servers, transports with ears, and people with plain clients."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from bots.irc.transport import IrcConfig, IrcTransport
from bots.messages import Heard, Target, TransportHealth
from storage.acts import Act, Permit
from storage.tables import LineKind

DEADLINE_S = 15.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(
    condition: Callable[[], Any], what: str = "", *, deadline_s: float = DEADLINE_S
) -> Any:
    """Poll `condition` until it is truthy and return its value."""
    try:
        async with asyncio.timeout(deadline_s):
            while not (value := condition()):  # noqa: ASYNC110 - the state of another process
                await asyncio.sleep(0.01)
            return value
    except TimeoutError:
        raise AssertionError(f"waited {deadline_s} s in vain for {what or condition}") from None


async def until_open(port: int) -> None:
    """Wait until somebody listens on `port`."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


class MiniIrcd:
    """A child process that can be killed and started again on its port."""

    def __init__(self, port: int, *, password: str | None = None) -> None:
        self.port = port
        self._password = password
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        arguments = [
            sys.executable,
            "-m",
            "miniircd",
            "--listen",
            "127.0.0.1",
            "--ports",
            str(self.port),
        ]
        if os.geteuid() == 0:
            arguments += ["--setuid", "nobody"]
        if self._password:
            arguments += ["--password", self._password]
        self._process = await asyncio.create_subprocess_exec(*arguments)
        await until_open(self.port)

    def pause(self) -> None:
        """The server hangs: sockets stay open, nothing is read or answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Ear:
    """A running transport, and all that it told."""

    def __init__(self, config: IrcConfig, *, seed: int = 1) -> None:
        self.heard: list[Heard] = []
        self.health: list[TransportHealth] = []
        self.joining: list[str] = []
        #: raised once each by the next joins
        self.join_errors: list[Exception] = []
        self.transport = IrcTransport(
            config,
            on_heard=self.heard.append,
            on_change=self.health.append,
            before_join=self._before_join,
            rng=random.Random(seed),
            log=structlog.get_logger(),
        )
        self.task: asyncio.Task[None] | None = None

    async def _before_join(self, channel: str) -> None:
        self.joining.append(channel)
        if self.join_errors:
            raise self.join_errors.pop()

    def fold(self, name: str) -> str:
        """`name` as the server compares it."""
        assert self.transport._session is not None
        return self.transport._session.rules.fold(name)

    def start(self) -> None:
        self.task = asyncio.create_task(self.transport.run())

    async def stop(self) -> None:
        await self.transport.stop("good night")
        if self.task is not None:
            await self.task

    async def seated(self, *channels: str) -> None:
        await until(
            lambda: (
                set(channels) <= set(self.transport.health.channels)
                and self.transport.health.connected
            ),
            f"{channels}, have {self.transport.health}",
        )

    def texts(self, kind: LineKind = LineKind.SAID) -> list[str]:
        return [h.text for h in self.heard if h.kind is kind]

    async def hears(self, text: str, kind: LineKind = LineKind.SAID) -> Heard:
        found = lambda: next((h for h in self.heard if h.text == text and h.kind is kind), None)  # noqa: E731
        heard = await until(found, f"{kind} {text!r} among {self.heard[-5:]}")
        assert isinstance(heard, Heard)
        return heard

    async def say(self, target: str, *parts: str) -> list[Any]:
        return list(await self.transport.say(Target.parse(target), parts, permit(target)))


def permit(target: str) -> Permit:
    """What the guard would give for one act of sending to `target`."""
    act = Act(agent="test", verb="send", target=target, reason="a test", trace_id="t")
    return Permit(act=act, audit_hash="-", good_until_s=time.monotonic() + 60)


class Peer:
    """Somebody with a plain IRC client: raw lines in and out, PINGs answered."""

    def __init__(self, nick: str) -> None:
        self.nick = nick
        self.lines: list[str] = []

    async def connect(self, port: int) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self.send(f"NICK {self.nick}", f"USER {self.nick} 0 * :{self.nick}")
        self._task = asyncio.create_task(self._read())
        await self.sees(" 001 ")

    def send(self, *lines: str | bytes) -> None:
        for line in lines:
            self._writer.write((line.encode() if isinstance(line, str) else line) + b"\r\n")

    async def sees(self, text: str) -> str:
        found = await until(
            lambda: next((x for x in self.lines if text in x), None),
            f"{text!r} in {self.lines[-8:]}",
        )
        return str(found)

    async def join(self, channel: str) -> None:
        self.send(f"JOIN {channel}")
        await self.sees(" 366 ")

    async def register_account(self, password: str) -> None:
        """Make the nick a services account and stay logged in to it."""
        self.send(f"PRIVMSG NickServ :REGISTER {password} {self.nick}@parley.test")
        await self.sees(" 900 ")

    async def close(self) -> None:
        self._writer.close()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        while raw := await self._reader.readline():
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            if line.startswith("PING"):
                self.send("PONG" + line[4:])
            self.lines.append(line)


MakeEar = Callable[..., Ear]
MakePeer = Callable[[str, int], Awaitable[Peer]]
