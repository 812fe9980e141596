"""The `irc` library's asyncio connection, made fit for strangers.

What we change: bytes that are not UTF-8 are replaced instead of ending the connection, a line
without end cannot eat the memory, malformed lines are skipped, nothing is logged (the library's
debug log would show passwords), tags do not count against the 512 bytes, and only a leading ^A
makes a message a CTCP one.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, ClassVar

import structlog
from irc.client_aio import AioConnection, AioReactor, IrcProtocol
from irc.connection import AioFactory
from jaraco.stream.buffer import DecodingLineBuffer

from bots.irc.line import Line
from bots.irc.rules import LINE_BYTES
from bots.metrics import ERRORS

#: tags may take 8,191 bytes (IRCv3 message-tags) and a rude peer's text some thousand
_LONGEST_LINE = 32_768


class ForgivingBuffer(DecodingLineBuffer):  # type: ignore[misc]  # the library has no types
    """Replaces bytes that are not UTF-8 and forgets the beginning of a line that never ends."""

    errors: ClassVar[str] = "replace"
    buffer: bytes

    def lines(self) -> Any:
        yield from super().lines()
        if len(self.buffer) > _LONGEST_LINE:
            self.buffer = self.buffer[-LINE_BYTES:]


class Protocol(IrcProtocol):  # type: ignore[misc]
    """Tells the connection when it begins and why it ended."""

    def connection_made(self, transport: Any) -> None:
        self.connection.made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connection.lost(exc)


class Connection(AioConnection):  # type: ignore[misc]
    """One connection, used once: `on_line` is called for each line read, `on_lost` at its end."""

    buffer_class = ForgivingBuffer
    protocol_class = Protocol
    on_line: Callable[[Line], None]
    on_lost: Callable[[str], None]

    def __init__(self, reactor: AioReactor) -> None:
        super().__init__(reactor)
        self.transport: asyncio.Transport | None = None
        self._parsed: Line | None = None

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        """Connect, without sending anything; raises `OSError` (`ssl.SSLError` among them)."""
        self.buffer = self.buffer_class()
        self.handlers: dict[str, Any] = {}
        self.real_server_name = ""
        self.real_nickname = ""
        self.server, self.port = host, port
        factory = AioFactory(ssl=tls, server_hostname=host) if tls else AioFactory()
        protocol = self.protocol_class(self, self.reactor.loop)
        await factory(protocol, (host, port))

    def made(self, transport: asyncio.Transport) -> None:
        """The socket is open and, with TLS, the peer is the one that we meant."""
        self.transport = transport
        self.connected = True

    def process_data(self, new_data: bytes) -> None:
        """Take what the socket read; lines that make no sense are dropped."""
        self.buffer.feed(new_data)
        for text in self.buffer:
            if not text.strip():
                continue
            self._parsed = None
            try:
                self._process_line(text)
            except (AttributeError, IndexError, ValueError):  # what the library raises on nonsense
                continue
            if self._parsed is not None:
                self._hand_on(self._parsed)

    def _hand_on(self, line: Line) -> None:
        """Whatever a line does to its reader, the connection and the next line live on."""
        try:
            self.on_line(line)
        except Exception:  # noqa: BLE001 - the outermost loop of hearing: logged and counted
            ERRORS.labels("line").inc()
            structlog.get_logger().exception("irc.line.unhandled")

    def _handle_message(self, arguments: Any, command: Any, source: Any, tags: Any) -> None:
        """PRIVMSG and NOTICE as one line, whatever ^A and ^P they hold."""
        self._parsed = _line(arguments, command, source, tags)

    def _handle_other(self, arguments: Any, command: Any, source: Any, tags: Any) -> None:
        """Everything else, PING included: the library's own PONG breaks tokens with blanks."""
        self._parsed = _line(arguments, command, source, tags)

    def send(self, line: str) -> None:
        """Write one line; a lost connection takes it silently, for `on_lost` has told already."""
        if self.connected and self.transport is not None:
            self.transport.write(self._prep_message(line))

    def send_raw(self, string: str) -> None:
        """The library's own methods write through here; its version would log passwords."""
        self.send(string)

    def _prep_message(self, string: str) -> bytes:
        """Bytes of one line, without CR, LF and NUL; what is over the limit is cut."""
        clean = string.replace("\r", "").replace("\n", " ").replace("\0", "")
        tags, blank, rest = clean.partition(" ") if clean.startswith("@") else ("", "", clean)
        body = rest.encode("utf-8", "replace")[: LINE_BYTES - 2]
        return f"{tags}{blank}".encode() + body + b"\r\n"

    def lost(self, exc: Exception | None) -> None:
        """The socket is closed, by whomever."""
        if self.connected:
            self.connected = False
            self.on_lost(str(exc) if exc else "the server closed the connection")

    def abort(self) -> None:
        """Hang up at once, even when the peer reads nothing any more; `on_lost` is not called."""
        self.connected = False
        if self.transport is not None:
            self.transport.abort()


class Reactor(AioReactor):  # type: ignore[misc]
    """Makes connections of our kind."""

    connection_class = Connection


def new_connection(
    loop: asyncio.AbstractEventLoop,
    *,
    on_line: Callable[[Line], None],
    on_lost: Callable[[str], None],
) -> Connection:
    """A connection that is not open yet."""
    connection: Connection = Reactor(loop=loop).server()
    connection.on_line = on_line
    connection.on_lost = on_lost
    return connection


def _line(arguments: Any, command: Any, source: Any, tags: Any) -> Line:
    nick, _, userhost = str(source or "").partition("!")
    return Line(
        command=str(getattr(command, "code", command)).upper(),
        params=tuple(str(argument) for argument in arguments),
        sender=nick,
        userhost=userhost,
        tags={tag["key"]: tag["value"] for tag in tags or []},
    )
