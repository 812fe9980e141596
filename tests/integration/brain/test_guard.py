"""The guard: permits, refusals, and what happens when it cannot record them."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from brain.errors import Refused
from brain.guard import Guard, LatchPolicy, Policy, Refusal
from storage import audit
from storage.acts import Act, Permit
from storage.errors import PermitRefused
from storage.latch import Latch
from storage.store import Store
from storage.unit import Unit

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KILLED = Latch("all", True, "olga", "irc", "enough", NOW)


def guard(store: Store, *policies: Policy) -> Guard:
    return Guard(store, policies, time.monotonic, lambda: NOW)


def latch(state: Latch | None) -> LatchPolicy:
    return LatchPolicy(lambda _agent: state)


def act(target: str = "irc:#lobby", **details: Any) -> Act:
    return Act(
        agent="captain",
        verb="send",
        target=target,
        reason="sam asked",
        trace_id="t1",
        details=details,
    )


class NoBigLines:
    """A later policy plugs in like this one."""

    name = "size"

    async def weigh(self, act: Act, unit: Unit) -> Refusal | None:
        assert unit.connection.in_transaction()
        too_big = act.details.get("bytes", 0) > 400
        return Refusal(policy=self.name, reason="longer than 400 bytes") if too_big else None


async def audited(store: Store) -> list[tuple[str, str, str]]:
    async with store.reading() as unit:
        assert await audit.verify(unit, "captain") is None
        entries = await audit.entries(unit, "captain", 100)
    return sorted((e.target, e.outcome, e.reason) for e in entries)


async def test_a_permit_is_for_one_act_and_stands_in_the_chain(store: Store) -> None:
    permit = await guard(store, latch(None)).permit(act())
    permit.check("send", "irc:#lobby", now_s=time.monotonic())
    for verb, target in (("send", "irc:#other"), ("tool", "irc:#lobby")):
        with pytest.raises(PermitRefused, match="not for"):
            permit.check(verb, target, now_s=time.monotonic())
    with pytest.raises(PermitRefused, match="stale"):
        permit.check("send", "irc:#lobby", now_s=time.monotonic() + 3600)
    async with store.reading() as unit:
        (entry,) = await audit.entries(unit, "captain", 10)
    assert (entry.hash, entry.outcome, entry.reason) == (
        permit.audit_hash,
        "permitted",
        "sam asked",
    )


async def test_a_killed_agent_is_refused_and_told_by_whom_and_when(store: Store) -> None:
    told = "killed by olga at 2026-11-20 12:00:00 UTC: enough"
    with pytest.raises(Refused, match=told) as caught:
        await guard(store, latch(KILLED)).permit(act())
    assert caught.value.policy == "latch"
    assert [(t, o) for t, o, _ in await audited(store)] == [("irc:#lobby", "refused")]


@pytest.mark.parametrize("command", ["status", "kill", "resume"])
async def test_a_killed_agent_may_still_say_how_it_is(store: Store, command: str) -> None:
    assert await guard(store, latch(KILLED)).permit(act(command=command))


async def test_no_policy_means_no(store: Store) -> None:
    with pytest.raises(Refused, match="no policy"):
        await guard(store).permit(act())
    assert [o for _, o, _ in await audited(store)] == ["refused"]


async def test_another_policy_plugs_in_and_either_one_refuses(store: Store) -> None:
    decisions = await guard(store, latch(None), NoBigLines()).decide(
        [act(bytes=10), act("irc:nick:sam", bytes=999)]
    )
    assert isinstance(decisions[0], Permit)
    assert decisions[1] == Refusal(policy="size", reason="longer than 400 bytes")
    assert await audited(store) == [
        ("irc:#lobby", "permitted", "sam asked"),
        ("irc:nick:sam", "refused", "longer than 400 bytes"),
    ]


async def test_all_or_nothing_when_acts_are_permitted_together(store: Store) -> None:
    both = guard(store, latch(None), NoBigLines())
    assert len(await both.permit_all([act(), act("irc:nick:sam")])) == 2
    with pytest.raises(Refused, match="400 bytes"):
        await both.permit_all([act(), act(bytes=999)])


async def test_permits_asked_for_at_once_keep_the_chain_whole(store: Store) -> None:
    one = guard(store, latch(None))
    await asyncio.gather(*(one.permit(act(f"irc:nick:n{n}")) for n in range(20)))
    assert len(await audited(store)) == 20


async def test_what_cannot_be_recorded_is_not_done(store: Store, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "parley.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Refused, match="could not be recorded") as caught:
            await guard(store, latch(None)).permit(act())
        other.execute("ROLLBACK")
    assert caught.value.policy == "store"
    assert await audited(store) == []
