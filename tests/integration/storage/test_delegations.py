"""Delegations in the store: one claim, one outcome, whoever dies when."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from storage import agents, audit, delegating, delegation_looks, delegations
from storage.delegating import Outcome
from storage.delegation_tables import Delegation, DelegationState, Deliver
from storage.delegations import NewDelegation
from storage.store import Store
from storage.unit import Unit

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SILENCE = timedelta(seconds=90)
DONE = Outcome(state=DelegationState.DONE, result="here it is", deliver_by="secretary")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def new(code: str = "D-1", **more: object) -> NewDelegation:
    plain = NewDelegation(
        code=code,
        sender="captain",
        agent="secretary",
        instruction="summarise #ubuntu",
        chain=("captain",),
        issued_at=NOW,
        expires_at=at(3600),
        asked_by="shell",
        priority=20,
        tries=3,
        trace_id="t",
    )
    return replace(plain, **more)  # type: ignore[arg-type]


async def given(store: Store, code: str = "D-1", **more: object) -> Delegation:
    delegation, _ = await store.write(lambda unit: delegations.add(unit, new(code, **more)))
    return delegation


async def claimed(store: Store, delegation: Delegation, epoch: int = 1) -> Delegation | None:
    return await store.write(
        lambda unit: delegating.claim(unit, delegation.id or 0, delegation.agent, epoch, at(1))
    )


async def read(store: Store, code: str = "D-1") -> Delegation:
    found = await store.read(lambda unit: delegations.by_code(unit, code.lower()))
    assert found is not None
    return found


async def finished(store: Store, held: Delegation, outcome: Outcome = DONE) -> bool:
    return await store.write(lambda unit: delegating.finish(unit, held, outcome, at(5)))


async def born(store: Store) -> int:
    """A new process of the secretary; its epoch."""

    async def birth(unit: Unit) -> int:
        await agents.enrol(unit, "secretary", "secretary", NOW)
        return await agents.take(unit, "secretary", "holder", now=NOW, ttl_s=0)

    return await store.write(birth)


async def test_the_same_key_of_the_same_asker_is_the_same_delegation(store: Store) -> None:
    first = await given(store, idempotency_key="k")
    again, is_new = await store.write(
        lambda unit: delegations.add(unit, new("D-2", idempotency_key="k"))
    )
    assert (again.id, is_new) == (first.id, False)
    other = await given(store, "D-3", idempotency_key="k", asked_by="hook:cron")
    assert other.id != first.id
    assert first.root_id == first.id


async def test_one_of_many_claims_wins(store: Store) -> None:
    delegation = await given(store)
    held = await asyncio.gather(*(claimed(store, delegation) for _ in range(6)))
    assert [h.claim for h in held if h] == [1]


async def test_most_urgent_first_then_oldest(store: Store) -> None:
    for code, priority in (("D-1", 20), ("D-2", 20), ("D-3", 5)):
        await given(store, code, priority=priority)
    held = await claimed(store, await given(store, "D-4"))
    assert held is not None
    assert await store.write(
        lambda unit: delegating.put_back(unit, held, why="", not_before=at(600), now=at(1))
    )
    async with store.reading() as unit:
        waiting = await delegation_looks.waiting(unit, "secretary", at(1), limit=10)
        rows = [await delegations.read(unit, one) for one in waiting]
    assert [row.code for row in rows if row] == ["D-3", "D-1", "D-2"]


async def test_it_ends_once_and_the_audit_tells_the_way(store: Store) -> None:
    held = await claimed(store, await given(store, deliver_to="irc:#reports"))
    assert held is not None
    assert await store.write(lambda unit: delegating.beat(unit, [held], at(2))) == {held.id}
    before = await read(store)
    assert before.state == DelegationState.WORKING
    assert await finished(store, before)
    assert not await finished(store, held, Outcome(state=DelegationState.FAILED, error="late"))
    after = await read(store)
    assert (after.state, after.result, after.deliver) == ("done", "here it is", Deliver.OWED)
    async with store.reading() as unit:
        told = await audit.entries(unit, "secretary", 10)
        assert [entry.target for entry in told] == ["delegation:D-1"] * 2
        assert await audit.verify(unit, "secretary") is None
        [owed] = await delegation_looks.undelivered(unit, "secretary")
    assert owed.code == "D-1"


async def test_a_silent_claim_is_taken_back_and_its_late_result_refused(store: Store) -> None:
    held = await claimed(store, await given(store))
    assert held is not None
    early = await store.write(lambda unit: delegating.reclaim(unit, at(80), SILENCE))
    assert early == []
    [back] = await store.write(lambda unit: delegating.reclaim(unit, at(120), SILENCE))
    assert back.code == "D-1"
    again = await claimed(store, await read(store), epoch=2)
    assert again is not None
    assert again.claim == 2
    assert not await finished(store, held)
    assert await finished(store, again)


async def test_what_began_to_act_is_not_done_a_second_time(store: Store) -> None:
    held = await claimed(store, await given(store))
    assert held is not None
    assert await store.write(lambda unit: delegating.note_act(unit, held))
    await store.write(lambda unit: delegating.reclaim(unit, at(120), SILENCE))
    after = await read(store)
    assert after.state == DelegationState.FAILED
    assert "nothing is done twice" in after.error


async def test_tries_run_out(store: Store) -> None:
    await given(store, tries=2)
    for _ in range(2):
        assert await claimed(store, await read(store)) is not None
        await store.write(lambda unit: delegating.reclaim(unit, at(120), SILENCE))
    assert (await read(store)).state == DelegationState.FAILED


async def test_a_new_process_takes_up_what_the_old_one_left(store: Store) -> None:
    held = await claimed(store, await given(store), epoch=await born(store))
    assert held is not None
    assert await born(store) == 2
    [back] = await store.write(
        lambda unit: delegating.reclaim(unit, at(2), SILENCE, of=("secretary", 2))
    )
    assert back.code == "D-1"
    assert await claimed(store, await read(store), epoch=1) is None
    assert await claimed(store, await read(store), epoch=2) is not None


async def test_a_cancel_takes_all_that_was_made_for_it(store: Store) -> None:
    root = await given(store)
    child = await given(store, "D-2", parent_id=root.id, root_id=root.id)
    await given(store, "D-3", parent_id=child.id, root_id=root.id)
    held = await claimed(store, child)
    assert held is not None
    other = await given(store, "D-4", parent_id=root.id, root_id=root.id)
    assert await claimed(store, other) is not None
    ended = await store.write(lambda unit: delegating.cancel(unit, child, "enough", at(3)))
    assert [d.code for d in ended] == ["D-2", "D-3"]
    assert not await finished(store, held)
    assert (await read(store, "D-4")).state == DelegationState.CLAIMED
    family = await store.read(lambda unit: delegations.tree(unit, root.id or 0))
    assert [d.code for d in family] == ["D-1", "D-2", "D-3", "D-4"]


async def test_nobody_finished_it_in_time(store: Store) -> None:
    await given(store, deliver_to="irc:#reports")
    assert await store.write(lambda unit: delegating.expire(unit, at(3599))) == []
    [over] = await store.write(lambda unit: delegating.expire(unit, at(3600)))
    assert (over.state, over.deliver) == (DelegationState.EXPIRED, Deliver.FAILED)
    assert await claimed(store, over) is None


async def test_what_became_of_each_agents_work(store: Store) -> None:
    held = await claimed(store, await given(store))
    assert held is not None
    await finished(store, held, replace(DONE, cost_nusd=7))
    await given(store, "D-2")
    await given(store, "D-3", agent="buyer")
    records = await store.read(lambda unit: delegations.records(unit, NOW))
    assert records["secretary"] == delegations.Record(
        agent="secretary", waiting=1, done=1, cost_nusd=7
    )
    assert records["buyer"].waiting == 1
    learned = await store.read(lambda unit: delegations.done_words(unit, NOW, 10))
    assert learned == [("secretary", "summarise #ubuntu")]


async def test_what_ended_long_ago_is_forgotten_as_a_whole(store: Store) -> None:
    root = await given(store)
    await given(store, "D-2", parent_id=root.id, root_id=root.id)
    held = await claimed(store, root)
    assert held is not None
    await finished(store, held)
    assert await store.write(lambda unit: delegations.prune(unit, at(9999))) == 0
    await store.write(lambda unit: delegating.cancel(unit, root, "over", at(6)))
    assert await store.write(lambda unit: delegations.prune(unit, at(9999))) == 2


async def test_one_look_tells_whether_anything_is_overdue(store: Store) -> None:
    async def overdue(seconds: float) -> bool:
        return await store.read(lambda unit: delegations.any_overdue(unit, at(seconds), SILENCE))

    held = await claimed(store, await given(store))
    assert held is not None
    assert not await overdue(80)
    assert await overdue(100)
    await store.write(lambda unit: delegating.beat(unit, [held], at(3500)))
    assert not await overdue(3550)
    assert await overdue(3600)


async def test_a_result_that_nobody_could_say_is_given_up(store: Store) -> None:
    await store.write(lambda unit: agents.enrol(unit, "secretary", "secretary", NOW))
    held = await claimed(store, await given(store, deliver_to="irc:#reports"))
    assert held is not None
    assert await finished(store, held)
    assert await store.write(lambda unit: delegations.give_up_saying(unit, at(600))) == []
    assert await store.read(lambda unit: delegations.any_overdue(unit, at(606), SILENCE))
    [unsaid] = await store.write(lambda unit: delegations.give_up_saying(unit, at(606)))
    assert (unsaid.deliver, unsaid.result) == (Deliver.FAILED, "here it is")
    assert await store.read(lambda unit: delegation_looks.undelivered(unit, "secretary")) == []
