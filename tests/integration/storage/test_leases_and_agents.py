"""Rights are held by one process at a time, and the roster tells who runs whom."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from storage import agents, leases, nonces, sessions
from storage.errors import LeaseLost, StorageError
from storage.leases import Held
from storage.store import Store
from storage.tables import AgentState, HeartbeatTier

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LISTENER = "listener:irc:#lobby"


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def acquire(store: Store, holder: str, at_s: float = 0) -> Held | None:
    async with store.writing() as unit:
        return await leases.acquire(unit, LISTENER, holder, now=after(at_s), ttl_s=10)


async def test_of_many_one_gets_the_lease(store: Store) -> None:
    got = await asyncio.gather(*(acquire(store, f"agent-{n}") for n in range(6)))
    (held,) = [one for one in got if one is not None]
    async with store.reading() as unit:
        assert await leases.current(unit, LISTENER, after(9)) == held
        assert await leases.current(unit, LISTENER, after(10)) is None


async def test_the_holder_extends_and_keeps_its_epoch(store: Store) -> None:
    assert await acquire(store, "secretary") == Held(LISTENER, "secretary", 1, after(10))
    assert await acquire(store, "secretary", 5) == Held(LISTENER, "secretary", 1, after(15))
    assert await acquire(store, "auditor", 14) is None


async def test_an_expired_lease_changes_hands_with_a_new_epoch(store: Store) -> None:
    old = await acquire(store, "secretary")
    new = await acquire(store, "auditor", 10)
    assert old is not None
    assert new == Held(LISTENER, "auditor", 2, after(20))
    async with store.writing() as unit:
        await leases.require(unit, new, after(19))
        for held, at_s in ((old, 11), (new, 20)):
            with pytest.raises(LeaseLost, match="any more"):
                await leases.require(unit, held, after(at_s))
        assert await leases.current(unit, LISTENER, after(19)) == new


async def test_released_or_taken_from_the_dead_its_epoch_goes_on(store: Store) -> None:
    first = await acquire(store, "secretary")
    assert first is not None
    async with store.writing() as unit:
        assert await leases.release_all(unit, "secretary") == 1
    second = await acquire(store, "auditor", 1)
    assert second is not None
    assert second.epoch == 2
    async with store.writing() as unit:
        assert await leases.release_all(unit, "auditor") == 1
        assert await leases.release_all(unit, "auditor") == 0
    third = await acquire(store, "secretary", 2)
    assert third is not None
    assert third.epoch == 3


async def test_one_supervisor_at_a_time_runs_an_agent(store: Store) -> None:
    async with store.writing() as unit:
        await agents.enrol(unit, "captain", "leads", NOON)
        first = await agents.take(unit, "captain", "host-a", now=NOON, ttl_s=10)
        with pytest.raises(LeaseLost, match="run by host-a until 12:00:10"):
            await agents.take(unit, "captain", "host-b", now=after(9), ttl_s=10)
        with pytest.raises(StorageError, match="no agent 'nobody'"):
            await agents.take(unit, "nobody", "host-b", now=NOON, ttl_s=10)
        assert await agents.extend(unit, "captain", "host-a", first, after(9), 10) is True
        second = await agents.take(unit, "captain", "host-b", now=after(19), ttl_s=10)
        assert second == first + 1
        assert await agents.extend(unit, "captain", "host-a", first, after(20), 10) is False
        assert await agents.let_go(unit, "captain", "host-a", first, after(20)) is False
        assert await agents.let_go(unit, "captain", "host-b", second, after(20)) is True
        assert await agents.take(unit, "captain", "host-a", now=after(20), ttl_s=1) == second + 1


async def test_a_report_changes_what_it_names_and_only_under_the_newest_epoch(
    store: Store,
) -> None:
    async with store.writing() as unit:
        await agents.enrol(unit, "captain", "leads", NOON)
        epoch = await agents.take(unit, "captain", "host", now=NOON, ttl_s=10)
        assert await agents.report(
            unit, "captain", epoch, now=after(1), state=AgentState.READY, pid=7, irc_nick="capt"
        )
        assert await agents.report(unit, "captain", epoch, now=after(2), reason="no echo")
        old = epoch - 1
        failed = AgentState.FAILED
        assert not await agents.report(unit, "captain", old, now=after(3), state=failed)
        await agents.enrol(unit, "captain", "leads all", after(4))
        (agent,) = await agents.roster(unit)
    assert (agent.role, agent.state, agent.reason) == ("leads all", "ready", "no echo")
    assert (agent.pid, agent.irc_nick, agent.holder, agent.epoch) == (7, "capt", "host", epoch)
    assert agent.updated_at == after(4)
    async with store.writing() as unit:
        await agents.let_go(unit, "captain", "host", epoch, after(5), reason="down")
        (agent,) = await agents.roster(unit)
    assert (agent.state, agent.reason, agent.pid, agent.holder) == ("stopped", "down", None, None)


async def test_heartbeats_keep_the_last_of_each_tier(store: Store) -> None:
    async with store.writing() as unit:
        for second in (0, 30):
            await agents.beat(unit, "captain", HeartbeatTier.INFRA, after(second))
        await agents.beat(unit, "captain", HeartbeatTier.FUNCTIONAL, after(5), "inbox 7")
        found = await agents.beats(unit)
    assert found["captain", "infra"].at == after(30)
    assert found["captain", "functional"].claim == "inbox 7"


async def test_a_nonce_is_good_once(store: Store) -> None:
    async with store.writing() as unit:
        assert await nonces.use(unit, "n", expires_at=after(300)) is True
        assert await nonces.use(unit, "n", expires_at=after(300)) is False


async def test_the_same_nonce_at_once_is_good_once(store: Store) -> None:
    async def use() -> bool:
        async with store.writing() as unit:
            return await nonces.use(unit, "n", expires_at=after(300))

    assert sorted(await asyncio.gather(*(use() for _ in range(4)))) == [False, False, False, True]


async def test_a_session_remembers_its_turns(store: Store) -> None:
    async with store.writing() as unit:
        key = await sessions.open_session(unit, "captain", "irc:#lobby", NOON)
        assert await sessions.open_session(unit, "captain", "irc:#lobby", after(1)) == key
        assert await sessions.open_session(unit, "auditor", "irc:#lobby", NOON) != key
        for number in range(3):
            await sessions.add_turn(
                unit,
                key,
                asker="alice",
                asked=f"question {number}",
                answer="answer",
                model="offline",
                steps=2,
                started_at=NOON,
                finished_at=after(number),
                trace_id="t",
            )
        turns = (await sessions.history(unit, "captain", "irc:#lobby", 2)).turns
        assert (await sessions.history(unit, "captain", "irc:#market", 2)).turns == ()
    assert [(t.asked, t.steps, t.finished_at) for t in turns] == [
        ("question 1", 2, after(1)),
        ("question 2", 2, after(2)),
    ]
