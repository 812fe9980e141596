"""People who hand over work by HTTP and do not give up: whatever door dies, the same key is shown
at another one.
"""

from __future__ import annotations

import asyncio
import http
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.acceptance.stage import Swarm

GIVERS = ("ann", "ben", "cleo", "dan", "eve", "finn")
#: a door that says nothing for so long is left for another one
ASKED_FOR_S = 4.0
_REST_S = 0.15
_CHANNEL = "irc:#lobby"


@dataclass
class Wish:
    """One piece of work as somebody wants it, and what was heard of it."""

    key: str
    #: in the instruction, in its result, and nowhere else
    word: str
    door: str
    to: str
    channel: str = ""
    deadline_s: float = 600.0
    #: taken back so long after it was taken
    cancel_after_s: float | None = None
    #: names that answers gave it: one, whoever answered
    codes: set[str] = field(default_factory=set)
    #: state in which the answer to a cancellation found it
    state_when_cancelled: str = ""

    @property
    def body(self) -> dict[str, Any]:
        told = {"channel": self.channel, "deliver": True} if self.channel else {"deliver": False}
        words = f"find out who mentioned {self.word}"
        return told | {"message": words, "agentId": self.to, "deadline_s": self.deadline_s}


@dataclass
class Giver:
    """Gives one wish after the other."""

    name: str
    swarm: Swarm
    agents: tuple[str, ...]
    rng: random.Random
    http: aiohttp.ClientSession
    wishes: list[Wish] = field(default_factory=list)
    #: statuses of answers that were no yes
    refused: list[str] = field(default_factory=list)

    async def give_on(self, is_over: Callable[[], bool]) -> None:
        """Until `is_over`; what is begun is brought to an answer."""
        while not is_over():
            wish = self._wish(len(self.wishes))
            self.wishes.append(wish)
            await self._bring(wish)
            if wish.cancel_after_s is not None:
                await asyncio.sleep(wish.cancel_after_s)  # the person's change of mind
                await self._take_back(wish)
            await asyncio.sleep(self.rng.uniform(0.02, 0.4))  # people take their time

    def _wish(self, number: int) -> Wish:
        rng, word = self.rng, f"{self.name}word{number}"
        return Wish(
            key=f"key-{word}",
            word=word,
            door=rng.choice(self.agents),
            to=rng.choice((*self.agents, "auto")),
            channel=_CHANNEL if rng.random() < 0.4 else "",
            deadline_s=rng.uniform(1, 4) if rng.random() < 0.15 else 600.0,
            cancel_after_s=rng.uniform(0, 0.5) if rng.random() < 0.2 else None,
        )

    async def _bring(self, wish: Wish) -> None:
        """Until somebody says that he has it."""
        door = wish.door
        while True:
            wait = self.rng.choice((0, 0, 1.5))
            status, told = await self._ask(door, "/hooks/agent", wish.body | {"wait": wait}, wish)
            if status in {http.HTTPStatus.OK, http.HTTPStatus.ACCEPTED}:
                wish.codes.add(told["id"])
                if self.rng.random() < 0.9:
                    return
                # Who lost the answer asks again, elsewhere.
            elif status:
                self.refused.append(f"{status} {told.get('code')}: {told.get('error')}")
            door = self.rng.choice(self.agents)

    async def _take_back(self, wish: Wish) -> None:
        """Until somebody says what became of it."""
        door = wish.door
        while True:
            status, told = await self._ask(door, f"/tasks/{min(wish.codes)}/cancel", {}, wish)
            if status == http.HTTPStatus.OK:
                wish.state_when_cancelled = told["status"]
                return
            door = self.rng.choice(self.agents)

    async def _ask(
        self, door: str, path: str, body: dict[str, Any], wish: Wish
    ) -> tuple[int, dict[str, Any]]:
        """Status and answer; status 0 where nobody answered."""
        url = dict(self.swarm.rows("select name, hook_url from agent")).get(door)
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            if url:
                async with self.http.post(
                    f"{url}{path}", json=body, headers={"Idempotency-Key": wish.key}
                ) as response:
                    return response.status, await response.json()
        await asyncio.sleep(_REST_S)  # the door is being born again
        return 0, {}
