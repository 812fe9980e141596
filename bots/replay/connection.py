"""One nick's connection to the IRC server, as thin as it can be: hundreds of them run at once.

It does not listen. Reading is paused but for the moments when an answer is awaited or the socket's
buffer wants emptying; otherwise this process would read every line once a connection.
"""

from __future__ import annotations

import asyncio
import re
import socket
from typing import cast

REGISTERED = "001"
#: RFC 2812 section 5.2: this nick cannot be had
NICK_REFUSED = ("432", "433", "436", "437")
#: the server sends us away: banned, wrong password, closing
_FATAL = re.compile(r"(?:464|465|466)$")
#: Linux has it, and it holds only for a moment; elsewhere replay is slower
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_NICKLEN = re.compile(r"\bNICKLEN=(\d+)")


class Gone(Exception):
    """The server closed this connection; the message holds its reason where it gave one."""


class NickRefused(Exception):
    """This nick cannot be had: it is used or reserved, or `malformed` for this server."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.malformed = " 432 " in line


class Connection(asyncio.Protocol):
    """Speaks; waits for answers only where the caller awaits them."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._waiting: tuple[frozenset[str], str, asyncio.Future[str]] | None = None
        self._pings = 0
        self._reason = ""
        self._quitting = False
        self._lost = asyncio.Event()
        self.closed = False
        #: NICKLEN of the server, once it said so
        self.nick_limit: int | None = None
        #: numerics that refused something, such as ``404 cannot send``
        self.refusals: list[str] = []

    @classmethod
    async def open(cls, host: str, port: int) -> Connection:
        """Connect; raises `OSError` when nobody listens there."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, host, port)
        return connection

    async def register(self, nick: str, user: str) -> None:
        """Give the nick and wait for the welcome. Raises `NickRefused` or `Gone`."""
        self.send(f"NICK {nick}", f"USER {user} 0 * :{nick}")
        await self._nick_answer({REGISTERED, *NICK_REFUSED}, "")

    async def again(self, nick: str) -> None:
        """Another nick after `NickRefused`, still before the welcome."""
        self.send(f"NICK {nick}")
        await self._nick_answer({REGISTERED, *NICK_REFUSED}, "")

    async def rename(self, nick: str) -> None:
        """Change the nick. Raises `NickRefused` when the old one remains."""
        self.send(f"NICK {nick}")
        await self._nick_answer({"PONG", *NICK_REFUSED}, self._ping())

    async def barrier(self) -> None:
        """Wait until the server has worked through everything sent so far (PING, PONG)."""
        await self._answer({"PONG"}, self._ping())

    def send(self, *lines: str) -> None:
        """Write lines, in one piece; raises `Gone` on a closed connection."""
        if self.closed or self._transport is None:
            raise Gone(self._reason or "connection closed")
        text = "".join(f"{line}\r\n" for line in lines)
        self._transport.write(text.encode("utf-8", "replace"))

    def drain(self) -> None:
        """Read once whatever lies in the socket's buffer, and answer the server's PINGs."""
        if self._transport is not None and not self.closed:
            self._transport.resume_reading()

    async def quit(self, reason: str) -> None:
        """Say QUIT and wait until the server has closed the connection."""
        if self.closed:
            return
        self.send(f"QUIT :{reason}")
        self._quitting = True
        self.drain()
        await self._lost.wait()

    def abort(self) -> None:
        """End the connection at once, without a word."""
        if self._transport is not None:
            self._transport.abort()

    def _ping(self) -> str:
        self._pings += 1
        token = f"replay{self._pings}"
        self.send(f"PING {token}")
        return token

    async def _nick_answer(self, commands: set[str], token: str) -> None:
        line = await self._answer(commands, token)
        if any(f" {code} " in line for code in NICK_REFUSED):
            raise NickRefused(line)

    async def _answer(self, commands: set[str], token: str) -> str:
        if self.closed:
            raise Gone(self._reason or "connection closed")
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting = (frozenset(commands), token, future)
        self._acknowledge()
        self.drain()
        try:
            return await future
        finally:
            self._waiting = None

    def _acknowledge(self) -> None:
        # A server that leaves Nagle's algorithm on holds its answer back until we acknowledge the
        # line before it, and a kernel takes its time for that (40 ms) when we have nothing to say.
        if self._transport is not None and _QUICKACK is not None:
            sock: socket.socket = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    # --- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            # Most lines are other people's words; look closer only at the server's own.
            if line.startswith(b":") and b"!" in line.partition(b" ")[0]:
                continue
            self._heard(line.decode("utf-8", "replace").rstrip("\r"))
        if self._waiting is None and self._transport is not None and not self._quitting:
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._lost.set()
        self._reason = self._reason or str(exc or "connection closed by the server")
        if self._waiting and not self._waiting[2].done():
            self._waiting[2].set_exception(Gone(self._reason))

    def _heard(self, line: str) -> None:
        words = line.split(" ")
        if words[0] == "PING":
            self.send("PONG " + " ".join(words[1:]))
            return
        if words[0] == "ERROR":
            self._reason = line
            return
        command = words[1] if line.startswith(":") and len(words) > 1 else words[0]
        if command == "005" and (limit := _NICKLEN.search(line)):
            self.nick_limit = int(limit[1])
        if self._waiting and command in self._waiting[0] and not self._waiting[2].done():
            if command != "PONG" or words[-1].lstrip(":") == self._waiting[1]:
                self._waiting[2].set_result(line)
                self._waiting = None
        elif command[:1] in "45" and len(command) == 3 and command != "422":
            self.refusals.append(line)
            if _FATAL.match(command):
                self._reason = line
