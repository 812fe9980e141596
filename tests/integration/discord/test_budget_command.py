"""`/budget` and `/usage`: who is told what was spent, and against which limit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bots.clock import utc_now
from bots.commands.asked import Asked
from bots.sandbox.snowflake import named
from storage import spending
from storage.spending import Bill, Call, KeyLimit, Reserved
from storage.store import Store
from tests.integration.discord.swarm import Member, client, member
from tests.integration.discord.test_commands import answered
from tests.integration.sandbox.stage import GUEST, Sandbox

BUDGET = {"usd_per_hour": "0.10", "usd_per_day": "0.50", "usd_per_task": "0.05"}


@pytest.fixture
async def captain(sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Member]:
    agents = [
        {"name": "captain", "role": "captain", "soul": "captain", "budget": BUDGET},
        {"name": "rook", "role": "search", "soul": "secretary"},
    ]
    operators = {
        "discord_roles": [str(named("role", "operators"))],
        "irc_accounts": ["alice"],
    }
    budget = {"usd_per_day": 2}
    async with member(sandbox, tmp_path, operators=operators, agents=agents, budget=budget) as one:
        await one.synced()
        await spend(one.store, "captain", reserved=20_000_000, cost=12_345_000)
        await spend(one.store, "captain", reserved=2_000_000)
        await spend(one.store, "rook", reserved=300_000_000, cost=250_000_000)
        yield one


async def spend(
    store: Store, agent: str, *, reserved: int, cost: int | None = None, at: datetime | None = None
) -> None:
    """A call; without a cost it is under way."""
    call = Call(
        agent=agent,
        model="clever",
        provider_model="claude-of-tests",
        session="discord:#lobby",
        task="inbox:1",
        reserved_nusd=reserved,
        at=at or utc_now(),
        epoch=1,
        trace_id="t",
    )
    found = await store.write(lambda unit: spending.reserve(unit, call, [], [KeyLimit(name="")]))
    assert isinstance(found, Reserved)
    if cost is not None:
        bill = Bill(nusd=cost, input_tokens=1000, output_tokens=50, cache_read_tokens=234)
        await store.write(lambda unit: spending.settle(unit, found.id, bill, now=utc_now()))


def on_irc(account: str | None, channel: str) -> Asked:
    return Asked(
        sender="alice",
        account=account,
        network="irc",
        channel=channel,
        session=f"irc:{channel}",
        trace_id="t",
        text="!budget",
        words="budget",
        heard_at=utc_now(),
    )


async def told_on_irc(
    captain: Member, account: str | None, channel: str, name: str = "budget", **given: Any
) -> str:
    command = captain.parts.commands.get(name)
    assert command is not None
    return await captain.parts.desk.answer(command, on_irc(account, channel), given)


#: the dot is there so that no line is taken for one that is said to an agent
CAPTAIN = (
    "• captain: last hour 0.012345 of 0.10 spent, 0.002 set aside, 0.085655 left; "
    "today 0.012345 of 0.50 spent, 0.002 set aside, 0.485655 left; each task at most 0.05"
)
ROOK = "• rook: last hour 0.25 spent, no limit; today 0.25 of 1.00 spent, 0.75 left"
SWARM = (
    "the swarm: last hour 0.262345 spent, 0.002 set aside, no limit; "
    "today 0.262345 of 2.00 spent, 0.002 set aside, 1.735655 left"
)


async def test_operators_see_everybody_s_and_the_swarm_s(captain: Member, sandbox: Sandbox) -> None:
    you = await client(sandbox)
    await you.use("budget")
    told = await answered(you)
    assert told["flags"] & 64, "for the asker's eyes alone"
    assert told["content"].splitlines()[:3] == [CAPTAIN, ROOK, SWARM]
    assert "the last 60 minutes" in told["content"]
    await you.use("budget", agent="rook")
    assert (await answered(you))["content"].splitlines()[0] == ROOK


async def test_others_see_what_the_agent_spends_that_they_talk_to(
    captain: Member, sandbox: Sandbox
) -> None:
    guest = await client(sandbox, GUEST)
    await guest.use("budget")
    shown = (await answered(guest))["content"]
    assert shown.splitlines()[0] == CAPTAIN
    assert "rook" not in shown
    assert "swarm" not in shown
    await guest.use("budget", agent="rook")
    refused = (await answered(guest))["content"]
    assert refused == "No: what others spend is for operators; I am captain."


async def test_on_irc_everybody_s_is_told_in_private_only(captain: Member) -> None:
    private = await told_on_irc(captain, "alice", "nick:captain")
    assert private.splitlines()[:3] == [CAPTAIN, ROOK, SWARM]
    public = await told_on_irc(captain, "alice", "#lobby")
    assert public.splitlines()[0] == CAPTAIN
    assert "rook" not in public
    assert "in private" in public
    assert "rook" not in await told_on_irc(captain, "mallory", "nick:captain")


async def test_what_was_spent_yesterday_is_not_today_s(captain: Member) -> None:
    await spend(
        captain.store, "rook", reserved=1, cost=900_000_000, at=utc_now() - timedelta(days=1)
    )
    assert ROOK in (await told_on_irc(captain, "alice", "nick:captain", agent="rook"))


async def test_a_budget_that_a_bill_went_beyond_has_nothing_left(captain: Member) -> None:
    await spend(captain.store, "captain", reserved=1, cost=600_000_000)
    assert "0.612345 of 0.50 spent, 0.002 set aside, 0.00 left" in await told_on_irc(
        captain, None, "#lobby"
    )


async def test_usage_counts_the_tokens_and_dollars_of_each_model(captain: Member) -> None:
    old = utc_now() - timedelta(days=2)
    await spend(captain.store, "captain", reserved=9, cost=1_000_000_000, at=old)
    shown = await told_on_irc(captain, None, "#lobby", "usage")
    first, second, *_ = shown.splitlines()
    assert first == (
        "captain (clever): today 1,234 tokens in (234 cached), 50 out, 0.012345 USD; "
        "in all 2,468 tokens in (468 cached), 100 out, 1.012345 USD"
    )
    assert second.startswith("rook (clever): today 1,234 tokens in (234 cached), 50 out, 0.25 USD")
