"""A visitor on IRC: a plain client that says lines and keeps what comes back, with its time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass

_MESSAGE = re.compile(r":(?P<nick>[^!\s]+)\S* (?P<command>[A-Z]+) (?P<rest>.*)$")
#: an answer too long for the channel: what an agent says there instead
_IN_PRIVATE = re.compile(r"that takes \d+ lines?; you have them in private")
#: lines of one answer come in one piece; whoever is silent for so long has ended
_PAUSE_S = 0.2


class NoReply(Exception):
    """Nothing came back in time."""


@dataclass(frozen=True)
class Line:
    """One message that the server passed on to us."""

    nick: str
    #: PRIVMSG, NOTICE, QUIT, JOIN …
    command: str
    #: the channel, or our own nick for what was said in private; empty for QUIT
    target: str
    text: str
    #: seconds on the event loop's clock
    at_s: float


@dataclass(frozen=True)
class Answer:
    lines: tuple[Line, ...]
    #: seconds from the question to the first line
    first_s: float

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


class Guest:
    """Connected and in the channel after `enter`; `leave` ends it."""

    def __init__(
        self, nick: str, channel: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.nick = nick
        self.channel = channel
        self._reader = reader
        self._writer = writer
        self._heard = asyncio.Event()
        #: the event loop's clock
        self.clock_s = asyncio.get_running_loop().time
        self.lines: list[Line] = []
        self._numerics: list[str] = []
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def enter(
        cls, server: tuple[str, int], nick: str, channel: str, within_s: float = 10
    ) -> Guest:
        """Connect and join. Raises `OSError` or `NoReply`."""
        reader, writer = await asyncio.open_connection(*server)
        guest = cls(nick, channel, reader, writer)
        guest.send(f"NICK {nick}", f"USER {nick} 0 * :{nick}", f"JOIN {channel}")
        # RFC 2812: 366 ends the list of names that a JOIN is answered with.
        await guest.until(lambda: "366" in guest._numerics, f"{nick} cannot join", within_s)
        return guest

    def send(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())

    def say(self, text: str) -> None:
        self.send(f"PRIVMSG {self.channel} :{text}")

    async def ask(self, agent: str, question: str, within_s: float = 10) -> Answer:
        """Address `agent` in the channel and wait for the whole answer. Raises `NoReply`."""
        start = len(self.lines)
        asked_s = self.clock_s()
        self.say(f"{agent}: {question}")
        return await self.answer(agent, start, asked_s, within_s)

    async def answer(self, agent: str, start: int, asked_s: float, within_s: float = 10) -> Answer:
        """The answer of `agent` to us, among the lines from index `start` on. Raises `NoReply`."""
        await self.until(
            lambda: any(self._is_public(x) for x in self._from(agent, start)),
            f"{agent} did not answer within {within_s:g} s",
            within_s,
        )
        public = next(x for x in self._from(agent, start) if self._is_public(x))
        if not _IN_PRIVATE.search(public.text):
            await self._silence_of(agent, start)
        lines = tuple(self._from(agent, start))
        return Answer(lines, lines[0].at_s - asked_s)

    async def until(self, met: Callable[[], bool], otherwise: str, within_s: float) -> None:
        """Wait for what the lines must bring; `NoReply` with `otherwise` when they do not."""
        try:
            async with asyncio.timeout(within_s):
                while not met():
                    if self._reading.done():
                        raise NoReply(f"{otherwise}: the IRC server closed the connection")
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            raise NoReply(otherwise) from None

    async def listen(self, seconds: float, start: int) -> list[Line]:
        """Only listen for so long; whatever was said to us or the channel from `start` on."""
        until_s = self.clock_s() + seconds
        while (left_s := until_s - self.clock_s()) > 0 and not self._reading.done():
            self._heard.clear()
            try:
                async with asyncio.timeout(left_s):
                    await self._heard.wait()
            except TimeoutError:
                break
        return [line for line in self.lines[start:] if line.command == "PRIVMSG"]

    async def leave(self) -> None:
        self._reading.cancel()
        self._writer.close()
        await asyncio.gather(self._reading, return_exceptions=True)

    def _from(self, agent: str, start: int) -> list[Line]:
        said = [x for x in self.lines[start:] if x.nick == agent and x.command == "PRIVMSG"]
        return [x for x in said if x.target in (self.nick, self.channel)]

    def _is_public(self, line: Line) -> bool:
        return line.target == self.channel and line.text.startswith(f"{self.nick}: ")

    async def _silence_of(self, agent: str, start: int) -> None:
        known = -1
        while known != len(self._from(agent, start)):
            known = len(self._from(agent, start))
            await asyncio.sleep(_PAUSE_S)

    async def _read(self) -> None:
        while raw := await self._reader.readline():
            text = raw.decode("utf-8", "replace").rstrip("\r\n")
            if text.startswith("PING"):
                self.send("PONG" + text[4:])
            elif line := _read(text, self.clock_s()):
                self.lines.append(line)
            else:
                self._numerics += text.split(" ")[1:2]
            self._heard.set()
        self._heard.set()


def _read(text: str, at_s: float) -> Line | None:
    message = _MESSAGE.match(text)
    if message is None:
        return None
    before, _, said = f" {message['rest']}".partition(" :")
    return Line(message["nick"], message["command"], before.strip(), said, at_s)
