"""People in the guild who go on talking whatever breaks, and remember what they asked of whom."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from tests.acceptance.guild import Guest

_CHATTER = ("yes", "no", "hm", "hello", "it hums", "does it hum?", "me too")


@dataclass(frozen=True)
class Asked:
    """One line that is meant for one agent."""

    agent: str
    #: the server's id of the line
    message: str
    #: nobody else says this word, before the answer
    word: str
    channel: str


@dataclass
class Gossip:
    """Says chatter (with repeats) in channels, and asks agents there and in private."""

    guest: Guest
    agents: tuple[str, ...]
    channels: tuple[str, ...]
    rng: random.Random
    asked: list[Asked] = field(default_factory=list)
    #: lines said so far
    said: int = 0

    async def talk(self) -> None:
        """Until cancelled: about two lines a second, as many as the server takes of one person."""
        while True:
            await asyncio.sleep(self.rng.uniform(0.1, 0.9))  # people take their time
            self.said += 1
            word = f"{self.guest.name}word{self.said}"
            kind = self.rng.random()
            if kind < 0.3:
                await self._asks(word)
            elif kind < 0.45:
                await self._asks_in_private(word)
            else:
                text = word if kind < 0.7 else self.rng.choice(_CHATTER)
                await self.guest.say(text, self.rng.choice(self.channels))

    async def _asks(self, word: str) -> None:
        called = self.rng.sample(self.agents, self.rng.choice((1, 1, 1, 2)))
        channel = self.rng.choice(self.channels)
        text = f"{self.guest.mention(*called)} who mentioned {word}?"
        said = await self.guest.say(text, channel)
        self.asked += [Asked(agent, said["id"], word, channel) for agent in called]

    async def _asks_in_private(self, word: str) -> None:
        agent = self.rng.choice(self.agents)
        said = await self.guest.say(f"who mentioned {word}?", f"@{agent}")
        self.asked.append(Asked(agent, said["id"], word, f"@{agent}"))
