"""What makes an event: the act and its event are one transaction, or neither is there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import structlog

from bots.agent.telling import Telling
from storage import agents, events
from storage.event_tables import Event
from storage.latch import Latch
from storage.store import Store
from storage.tables import AgentState
from storage.unit import Unit

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


async def happened(store: Store) -> list[Event]:
    async with store.writing() as unit:
        await events.hand_out(unit, NOON)
        found, _ = await events.since(unit, 0)
        return found


async def test_an_agent_that_fails_is_told_once(store: Store) -> None:
    async with store.writing() as unit:
        await agents.enrol(unit, "buyer", "buyer", NOON)
        epoch = await agents.take(unit, "buyer", "test", now=NOON, ttl_s=60)
        for state in (AgentState.READY, AgentState.FAILED, AgentState.FAILED, AgentState.HUNG):
            reason = "its token was refused"
            await agents.report(unit, "buyer", epoch, now=NOON, state=state, reason=reason)
        # An older process has nothing to say.
        await agents.report(unit, "buyer", epoch - 1, now=NOON, state=AgentState.FAILED)
    assert [(e.topic, e.text) for e in await happened(store)] == [
        ("failure.failed", "buyer is failed: its token was refused"),
        ("failure.hung", "buyer is hung: its token was refused"),
    ]


async def test_a_kill_that_several_supervisors_carry_out_is_told_once(store: Store) -> None:
    kill = Latch("all", True, "alice", "irc", "the password is hunter2", NOON)
    resume = Latch("buyer", False, "alice", "irc", "calm", NOON)

    async def carried_out(order: Latch, by: str) -> None:
        await store.write(lambda unit: events.steered(unit, order, by))

    await asyncio.gather(*(carried_out(kill, f"supervisor {n}") for n in range(3)))
    await carried_out(resume, "supervisor 1")
    assert [(e.topic, e.text) for e in await happened(store)] == [
        ("kill", "everybody was killed by alice (irc)"),
        ("kill.resumed", "buyer was resumed by alice (irc)"),
    ]


async def test_a_budget_that_is_nearly_spent_is_told(store: Store) -> None:
    tell = Telling(store, "buyer", structlog.get_logger())
    tell("spend", "budget:day", "80 % of today's budget is spent")
    tell("look", "something:else", "this has no topic")
    async with asyncio.timeout(10):
        while not (found := await happened(store)):  # noqa: ASYNC110 - the deadline decides
            await asyncio.sleep(0)
    assert [(e.topic, e.agent) for e in found] == [("budget", "buyer")]


async def test_what_was_rolled_back_did_not_happen(store: Store) -> None:
    async def fails(unit: Unit) -> None:
        await events.record(unit, topic="kill", agent="a", text="never", at=NOON)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.write(fails)
    assert await happened(store) == []


async def test_a_late_commit_is_not_passed_over(store: Store) -> None:
    """An event whose id is the smaller one may be seen after another on PostgreSQL."""
    begun = SimpleNamespace(other=asyncio.Event(), seen=asyncio.Event())

    async def slow() -> None:
        async with store.writing() as unit:
            await events.record(unit, topic="kill", agent="a", text="slow", at=NOON)
            begun.other.set()
            await begun.seen.wait()

    task = asyncio.create_task(slow())
    await begun.other.wait()
    if store.dialect == "postgresql":
        async with store.writing() as unit:
            await events.record(unit, topic="kill", agent="b", text="quick", at=NOON)
        assert [e.text for e in await happened(store)] == ["quick"]
    begun.seen.set()
    await task
    assert [e.text for e in await happened(store)][-1] == "slow"
