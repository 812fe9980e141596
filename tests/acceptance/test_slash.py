"""Slash commands on the whole swarm, in the sandbox guild: real processes, a real supervisor."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.acceptance.guild import Guest
from tests.acceptance.guild_commands import command, use
from tests.acceptance.stage import Swarm, until

Make = Callable[..., Swarm]
Enter = Callable[..., Awaitable[Guest]]
AGENTS = ("captain", "secretary", "auditor")


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


async def test_a_person_asks_and_an_operator_kills_and_resumes(swarm: Make, guest: Enter) -> None:
    one = swarm(agents=AGENTS, transports=("discord",))
    await one.up()
    you = await guest(one)
    owners = {(await command(you, n))["application_id"] for n in ("ask", "kill-autonomous")}
    assert len(owners) == 1

    await you.say("the mixer hums at 50 Hz")
    told = await use(you, "ask", agent="secretary", question="who mentioned the mixer?")
    assert told["content"] == "you asks secretary: who mentioned the mixer?"
    await you.hears("secretary", "the mixer hums")

    assert "You may steer, by discord:role:" in (await use(you, "whoami"))["content"]
    told = await use(you, "kill-autonomous", reason="a test")
    assert told["content"].startswith("Killed all: 3 of 3 have stopped")
    await one.becomes("killed")
    told = await use(you, "search", words="mixer")
    assert "captain was killed by you (discord:role:" in told["content"]
    assert "Everybody is killed, by you" in (await use(you, "status"))["content"]
    told = await use(you, "resume", agent="all", reason="the test goes on")
    assert told["content"] == "resumed all"
    await one.becomes("ready")
    told = await use(you, "audit")
    assert "the chain holds" in told["content"]
    assert "resumed all: done" in told["content"]
    await until(
        lambda: not one.rows("select 1 from inbox where state in ('queued', 'working')"),
        "nothing is owed any more",
    )
