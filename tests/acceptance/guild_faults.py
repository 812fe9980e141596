"""What breaks under the swarm in the sandbox guild: sockets, sessions, processes."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from tests.acceptance.guild import Guest
from tests.acceptance.stage import Swarm
from tests.acceptance.traffic import fork_server, pid_now, service


@dataclass
class Faults:
    """A seeded schedule of faults, and how many of each there were."""

    swarm: Swarm
    operator: Guest
    agents: tuple[str, ...]
    channels: tuple[str, ...]
    rng: random.Random
    count: Counter[str] = field(default_factory=Counter)

    async def rage(self, for_s: float) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + for_s
        kinds = {
            self._drop: 4,
            self._reconnect: 3,
            self._invalid: 3,
            self._zombie: 1,
            self._agent: 3,
            self._speaker: 4,
            self._listener: 3,
            self._faint: 4,
            self._fork_server: 1,
            self._nats: 2,
        }
        while loop.time() < until_s:
            await asyncio.sleep(self.rng.uniform(0.3, 2.5))  # the schedule's own pace
            fault = self.rng.choices(list(kinds), weights=list(kinds.values()))[0]
            # What is being born again cannot be killed.
            with suppress(ProcessLookupError, StopIteration, psutil.NoSuchProcess, ValueError):
                await fault()
                self.count[fault.__name__.strip("_")] += 1

    async def _drop(self) -> None:
        await trouble(self.operator, "drop", self._somebody())

    async def _reconnect(self) -> None:
        await trouble(self.operator, "op7", self._somebody())

    async def _invalid(self) -> None:
        await trouble(self.operator, "invalid", self._somebody())

    async def _zombie(self) -> None:
        await trouble(self.operator, "zombie", self.rng.choice(self.agents))

    async def _agent(self) -> None:
        self._kill(self.rng.choice(self.agents))

    async def _speaker(self) -> None:
        """Whoever answers next dies as soon as the answer is seen: often before it is marked."""
        seen = len(self.operator.events)
        answer = await self.operator.sees(
            "MESSAGE_CREATE", lambda m: m["author"]["username"] in self.agents, after=seen
        )
        self._kill(answer["author"]["username"])

    async def _listener(self) -> None:
        self._kill(listener(self.swarm, self.rng.choice(self.channels)))

    async def _faint(self) -> None:
        pid = self._pid(self.rng.choice(self.agents))
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(self.rng.uniform(0.2, 4))  # for so long it lies there
        os.kill(pid, signal.SIGCONT)

    async def _fork_server(self) -> None:
        os.kill(fork_server(self.swarm), signal.SIGKILL)

    async def _nats(self) -> None:
        os.kill(await service(self.swarm, "nats"), signal.SIGKILL)

    def _somebody(self) -> str:
        return self.rng.choice((*self.agents, "all"))

    def _kill(self, agent: str) -> None:
        os.kill(self._pid(agent), signal.SIGKILL)

    def _pid(self, agent: str) -> int:
        pid = pid_now(self.swarm, agent)
        if pid is None:
            raise ProcessLookupError(agent)
        return pid


async def trouble(operator: Guest, what: str, bot: str) -> int:
    """What the guild's server does to the sockets of `bot` (or ``all``); how many it met."""
    root = operator.api.removesuffix("/api/v10")
    body = {"do": what, "bot": bot}
    async with operator.http.post(f"{root}/sandbox/chaos", json=body) as answer:
        assert answer.status == 200, await answer.text()
        return int((await answer.json())["affected"])


def listener(swarm: Swarm, channel: str) -> str:
    """The agent that keeps this channel's record at present; `ValueError` when nobody does."""
    [(holder,)] = swarm.rows(
        "select holder from lease where name = ?", f"listener:discord:#{channel}"
    )
    return str(holder)
