"""Sockets, sessions and processes break at random under talk in the guild: what a person asked is
answered once, and what was said is in the record once.

The seed is printed; `PARLEY_CHAOS_SEED` sets it and `PARLEY_CHAOS_S` the length, in seconds.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.acceptance.gossip import Gossip
from tests.acceptance.guild import Guest
from tests.acceptance.guild_faults import Faults
from tests.acceptance.guild_truth import Server, answered_once, recorded_once
from tests.acceptance.stage import Swarm, until
from tests.acceptance.traffic import chains_hold, settled

Make = Callable[..., Swarm]
Enter = Callable[..., Awaitable[Guest]]
AGENTS = ("captain", "secretary", "auditor", "harvester")
CHANNELS = ("lobby", "technical")
MORE = """
[limits]
crashes = 100
crash_window_s = 5.0
[[channels]]
name = "#technical"
everybody = true
"""
#: a socket that fell silent is noticed after 60 s, and what was owed there is answered then
NOTICED_WITHIN_S = 100.0


@pytest.fixture
async def guest() -> AsyncIterator[Enter]:
    """`guest(swarm, name)`: somebody online in the swarm's guild, gone after the test."""
    entered: list[Guest] = []

    async def enter(swarm: Swarm, name: str = "you") -> Guest:
        entered.append(await Guest.enter(swarm, name))
        return entered[-1]

    yield enter
    for one in entered:
        await one.leave()


@pytest.mark.timeout(300)
async def test_under_chaos_every_question_is_answered_once_and_every_line_kept_once(
    swarm: Make, guest: Enter
) -> None:
    seed = int(os.environ.get("PARLEY_CHAOS_SEED") or 42)
    length_s = float(os.environ.get("PARLEY_CHAOS_S", "15"))
    print(f"PARLEY_CHAOS_SEED={seed}")
    rng = random.Random(seed)
    one = swarm(agents=AGENTS, more=MORE, transports=("discord",))
    await one.up("--sandbox-users", "2")
    people = [await guest(one, name) for name in ("you", "guest1", "guest2")]
    for person in people:
        # Of whom nobody has ever heard, nobody can know that he spoke in private meanwhile.
        await person.say("good morning")
    await until(
        lambda: one.rows("select count(*) from message where text = 'good morning'") == [(3,)],
        "everybody was heard once",
    )
    gossips = [Gossip(p, AGENTS, CHANNELS, random.Random(rng.random())) for p in people]
    faults = Faults(one, people[0], AGENTS, CHANNELS, rng)

    talking = [asyncio.create_task(g.talk()) for g in gossips]
    try:
        await faults.rage(length_s)
    finally:
        for task in talking:
            task.cancel()
        ended = await asyncio.gather(*talking, return_exceptions=True)
    assert all(isinstance(e, asyncio.CancelledError) for e in ended), ended
    asked = [a for g in gossips for a in g.asked]
    print(f"{sum(g.said for g in gossips)} lines, {len(asked)} questions, {dict(faults.count)}")
    await one.becomes("ready", within_s=60)

    deadline = asyncio.get_running_loop().time() + NOTICED_WITHIN_S
    while True:
        await settled(one, within_s=60)
        server = await Server.look(people, CHANNELS, AGENTS)
        verdict, unlike = answered_once(one, server, asked), recorded_once(one, server)
        if not verdict.wrong and not unlike:
            break
        left_s = deadline - asyncio.get_running_loop().time()
        assert left_s > 0, "\n".join([*verdict.wrong, unlike])
        await asyncio.sleep(0.5)  # a look, not a hope: the deadline decides
    assert server.words(asked)
    print(f"answers: {dict(verdict.states)}")
    print(f"record: { {c: len(lines) for c, lines in server.channels.items()} }")
    await chains_hold(one)
    await one.becomes("ready", within_s=30)
    assert all(s["up"] for s in (await one.status())["services"])
