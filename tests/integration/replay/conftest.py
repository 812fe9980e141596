"""A real IRC server and somebody who listens in a channel."""

from __future__ import annotations

import asyncio
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

CHANNEL = "#lab"
_LINE = re.compile(r":([^!\s]+)!\S+ (\S+) ?(.*)")


@pytest.fixture
async def irc_port() -> AsyncIterator[int]:
    """Port of a fresh miniircd."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    words = ["--listen", "127.0.0.1", "--ports", str(port), "--setuid", "nobody"]
    server = await asyncio.create_subprocess_exec(sys.executable, "-m", "miniircd", *words)
    try:
        async with asyncio.timeout(10):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.02)
        yield port
    finally:
        server.kill()
        await server.wait()


class Listener:
    """Hears the channel: (nick, command, rest) of every line that a client caused."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.heard: list[tuple[str, str, str]] = []

    async def enter(self, nick: str = "listener") -> None:
        self._writer.write(f"NICK {nick}\r\nUSER u 0 * :r\r\nJOIN {CHANNEL}\r\n".encode())
        await self._until(" 366 ")
        self.heard.clear()

    async def catch_up(self) -> None:
        """Read whatever the server had for us before it answers this PING."""
        self._writer.write(b"PING caught-up\r\n")
        await self._until("caught-up")

    def talk(self) -> list[tuple[str, str]]:
        return [
            (nick, rest.partition(" :")[2])
            for nick, command, rest in self.heard
            if command in ("PRIVMSG", "NOTICE")
        ]

    async def _until(self, sign: str) -> None:
        async with asyncio.timeout(20):
            while True:
                line = (await self._reader.readline()).decode().rstrip("\r\n")
                if match := _LINE.match(line):
                    self.heard.append((match[1], match[2], match[3]))
                elif sign in line:
                    return


@pytest.fixture
async def listener(irc_port: int) -> AsyncIterator[Listener]:
    reader, writer = await asyncio.open_connection("127.0.0.1", irc_port, limit=1 << 20)
    someone = Listener(reader, writer)
    await someone.enter()
    yield someone
    writer.close()
