"""Work is handed over while everything is killed and stopped at random: none is lost, each has one
outcome, and what came of it is said at most once.

The seed is printed; `PARLEY_CHAOS_SEED` sets it and `PARLEY_CHAOS_S` the length, in seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import aiohttp
import psutil
import pytest

from tests.acceptance.crowd import Client, Watcher
from tests.acceptance.givers import ASKED_FOR_S, GIVERS, Giver
from tests.acceptance.outcomes import (
    cancelled_stay,
    done_once,
    ended_once,
    given_once,
    story,
    told_once,
    unsettled,
    word_in,
)
from tests.acceptance.stage import Swarm, until
from tests.acceptance.traffic import chains_hold, family, fork_server, gone, pid_now, service
from tests.integration.irc.stage import MiniIrcd, free_port
from tests.vendors.script import Asked, Call, Say, Script, Slow, Step
from tests.vendors.server import Stub, serving

Make = Callable[..., Swarm]

AGENTS = ("captain", "tech-lead", "secretary", "auditor", "harvester")
#: specialists reach each other through the two above them
GIVES_TO = {
    "captain": ["all"],
    "tech-lead": ["secretary", "auditor", "harvester"],
    **{name: ["captain", "tech-lead"] for name in ("secretary", "auditor", "harvester")},
}
MORE = """
[irc]
host = "127.0.0.1"
port = {port}
burst = 100
lines_per_s = 100.0
[hooks]
per_minute = 100000.0
burst = 10000
[limits]
crashes = 100
crash_window_s = 5.0
[models.stub]
provider = "compatible"
model = "stub"
keys = ["file:{key}"]
base_url = "{url}"
[defaults]
brain = "stub"
[heartbeat]
every_s = 0
"""
KEY = "sk-a-key-of-the-tests-that-is-no-key"
SETTLED_WITHIN_S = 150.0


@dataclass
class Faults:
    """A seeded schedule of deaths and faints; once the supervisor dies, in the middle."""

    swarm: Swarm
    rng: random.Random
    count: Counter[str] = field(default_factory=Counter)
    is_over: bool = False

    async def rage(self, for_s: float) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + for_s
        supervisor_dies_s = until_s - for_s * self.rng.uniform(0.3, 0.7)
        kinds = (self._agent, self._worker, self._faint, self._fork_server, self._nats)
        while loop.time() < until_s:
            await asyncio.sleep(self.rng.uniform(0.2, 1.5))  # the schedule's own pace
            if loop.time() > supervisor_dies_s and not self.count["supervisor"]:
                await self._supervisor()
                continue
            fault = self.rng.choices(kinds, weights=(3, 4, 4, 1, 2))[0]
            # What is being born again cannot be killed.
            with suppress(ProcessLookupError, StopIteration, psutil.NoSuchProcess, ValueError):
                await fault()
                self.count[fault.__name__.strip("_")] += 1
        self.is_over = True

    async def _agent(self) -> None:
        os.kill(self._pid(self.rng.choice(AGENTS)), signal.SIGKILL)

    async def _worker(self) -> None:
        """One that has something in hand."""
        busy = self.swarm.rows(
            "select distinct agent from delegation where state in ('claimed', 'working') order by 1"
        )
        os.kill(self._pid(self.rng.choice(busy or [(AGENTS[0],)])[0]), signal.SIGKILL)

    async def _faint(self) -> None:
        pids = [self._pid(self.rng.choice(AGENTS)), fork_server(self.swarm)]
        pids += [await service(self.swarm, "nats"), self.swarm.supervisor["pid"]]
        [pid] = self.rng.choices(pids, weights=(6, 1, 2, 1))
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(self.rng.uniform(0.2, 4))  # for so long it lies there
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    async def _fork_server(self) -> None:
        os.kill(fork_server(self.swarm), signal.SIGKILL)

    async def _nats(self) -> None:
        os.kill(await service(self.swarm, "nats"), signal.SIGKILL)

    async def _supervisor(self) -> None:
        self.count["supervisor"] += 1
        everything = family(self.swarm)
        os.kill(self.swarm.supervisor["pid"], signal.SIGKILL)
        await gone(everything, within_s=10)
        await self.swarm.up()

    def _pid(self, agent: str) -> int:
        pid = pid_now(self.swarm, agent)
        if pid is None:
            raise ProcessLookupError(agent)
        return pid


@pytest.mark.timeout(400)
async def test_under_chaos_no_work_is_lost_or_ended_or_told_twice(
    swarm: Make, irc_port: int, stub: Stub, tmp_path: Path
) -> None:
    seed = int(os.environ.get("PARLEY_CHAOS_SEED") or 42)
    length_s = float(os.environ.get("PARLEY_CHAOS_S", "20"))
    print(f"PARLEY_CHAOS_SEED={seed}")
    rng = random.Random(seed)
    key = tmp_path / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    more = MORE.format(port=irc_port, key=key, url=stub.openai_url)
    one = swarm(agents=AGENTS, more=more, gives_to=GIVES_TO)
    await one.up()
    watcher = Watcher(Client("watcher", irc_port))
    watching = asyncio.create_task(watcher.watch())
    faults = Faults(one, rng)
    async with people(one, rng) as givers:
        giving = [asyncio.create_task(g.give_on(lambda: faults.is_over)) for g in givers]
        await faults.rage(length_s)
        async with asyncio.timeout(60):
            await asyncio.gather(*giving)
    began_s = time.monotonic()
    try:
        await until(lambda: not unsettled(one), "everything has ended", SETTLED_WITHIN_S)
    except AssertionError as error:
        raise AssertionError(f"{error}: {unsettled(one)}") from None
    await one.becomes("ready", within_s=60)
    watching.cancel()

    wishes = [wish for giver in givers for wish in giver.wishes]
    refused = Counter(why for giver in givers for why in giver.refused)
    print(f"{len(wishes)} wishes, faults {dict(faults.count)}, refused {dict(refused)}")
    print(f"settled after {time.monotonic() - began_s:.1f} s: {story(one)}")
    given_once(one, wishes)
    ended_once(one)
    cancelled_stay(one, wishes)
    done_once(one)
    told_once(one, watcher)
    await chains_hold(one)


def answers(rng: random.Random) -> Callable[[Asked], Step]:
    """A model that takes its time, and for some words notes something first: each note anew."""
    number = count()

    def choose(asked: Asked) -> Step:
        told = json.dumps(asked.body["messages"])
        word = word_in(told)
        say = Say(f"Nobody mentioned {word}.")
        if "Noted" not in told and word[-1] in "37":
            say = Say("", (Call("remember", {"name": f"note {next(number)}", "text": word}),))
        return Slow(say, before_s=rng.uniform(0, 1.2))

    return choose


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with serving(Script(choose=answers(random.Random(1)), keys=[KEY])) as running:
        yield running


@asynccontextmanager
async def people(one: Swarm, rng: random.Random) -> AsyncIterator[list[Giver]]:
    """Who hands over work, with the token of the swarm's doors."""
    token = (one.folder / ".parley/secrets/hook-token").read_text().strip()
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {token}"},
        timeout=aiohttp.ClientTimeout(total=ASKED_FOR_S),
    ) as http:
        yield [Giver(name, one, AGENTS, random.Random(rng.random()), http) for name in GIVERS]


@pytest.fixture
async def irc_port() -> AsyncIterator[int]:
    """A server that the supervisor's death does not touch: who watches there misses nothing."""
    server = MiniIrcd(free_port())
    await server.start()
    yield server.port
    await server.kill()
