"""People who go on talking whatever breaks, and one who writes down what the server delivers."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

_WORDS = ("yes", "no", "hm", "hello", "it hums", "does it hum?", "me too")
_PRESENCE = re.compile(r"^:([^!\s]+)!\S+ (JOIN|QUIT|PART) ")
_NAMES = re.compile(r"^:\S+ 353 \S+ = #lobby :(.*)$")
_SAID = re.compile(r"^:([^!\s]+)!\S+ PRIVMSG #lobby :(.*)$")


@dataclass
class Client:
    """One person on IRC who comes back after every loss."""

    nick: str
    port: int
    writer: asyncio.StreamWriter | None = None

    async def lines(self) -> AsyncIterator[str]:
        """Lines from the server, across reconnects; an empty one when a connection ended."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.05)  # the server is being born again
                continue
            greeting = f"NICK {self.nick}\r\nUSER {self.nick} 0 * :{self.nick}\r\nJOIN #lobby\r\n"
            writer.write(greeting.encode())
            with suppress(OSError):
                while line := (await reader.readline()).decode(errors="replace").rstrip("\r\n"):
                    if line.startswith("PING"):
                        writer.write(f"PONG{line[4:]}\r\n".encode())
                    elif f" 366 {self.nick} #lobby " in line:
                        self.writer = writer
                    yield line
            self.writer = None
            writer.close()
            yield ""


@dataclass
class Talker:
    """Says chatter (with repeats), questions and commands, each of these with a word of its own."""

    client: Client
    agents: tuple[str, ...]
    rng: random.Random
    said: list[str] = field(default_factory=list)

    async def listen(self) -> None:
        async for _ in self.client.lines():
            pass

    async def talk(self) -> None:
        number = 0
        while True:
            await asyncio.sleep(self.rng.uniform(0.02, 0.25))  # people take their time
            if self.client.writer is None:
                continue
            number += 1
            text = self._line(f"{self.client.nick}word{number}")
            self.said.append(text)
            self.client.writer.write(f"PRIVMSG #lobby :{text}\r\n".encode())

    def _line(self, word: str) -> str:
        kind = self.rng.random()
        if kind < 0.12:
            return f"{self.rng.choice(self.agents)}: who mentioned {word}?"
        if kind < 0.18:
            return f"!seen {word}"
        return word if kind < 0.5 else self.rng.choice(_WORDS)


@dataclass(frozen=True)
class Delivered:
    at_s: float
    sender: str
    text: str
    #: who sat in the channel
    present: frozenset[str]


@dataclass
class Watcher:
    """Sits in #lobby, says nothing, and writes down what it is told and who is there."""

    client: Client
    delivered: list[Delivered] = field(default_factory=list)
    _present: frozenset[str] = frozenset()

    async def watch(self) -> None:
        loop = asyncio.get_running_loop()
        async for line in self.client.lines():
            if not line:
                self._present = frozenset()
            elif names := _NAMES.match(line):
                self._present |= frozenset(names[1].split())
            elif change := _PRESENCE.match(line):
                nick = frozenset({change[1]})
                joined = change[2] == "JOIN"
                self._present = self._present | nick if joined else self._present - nick
            elif said := _SAID.match(line):
                heard = Delivered(loop.time(), said[1], said[2], self._present)
                self.delivered.append(heard)
