"""Runs of workflows as rows: one step forward at a time, by whoever holds the lease."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage import audit, leases, workflows
from storage.errors import LeaseLost
from storage.leases import Held
from storage.store import Store
from storage.workflow_states import State
from storage.workflow_tables import WorkflowRun
from storage.workflows import Forward, NewRun, StepRow

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NEW = NewRun(
    name="survey",
    source="name: survey",
    inputs={"topic": "mixers", "regions": ["a", "b"]},
    agent="captain",
    steps=("one", "two"),
    started_by="alice",
    trace_id="t",
)


async def begun(store: Store, **more: Any) -> WorkflowRun:
    async with store.writing() as unit:
        return (await workflows.begin(unit, replace(NEW, **more), NOW))[0]


async def lease(store: Store, holder: str, now: datetime = NOW) -> Held:
    async with store.writing() as unit:
        held = await leases.acquire(unit, "workflows", holder, now=now, ttl_s=10)
    assert held is not None
    return held


async def saved(store: Store, forward: Forward, held: Held, now: datetime = NOW) -> WorkflowRun:
    async with store.writing() as unit:
        return await workflows.save(unit, forward, held, now)


async def tasks(store: Store, run: WorkflowRun) -> list[StepRow]:
    assert run.id is not None
    async with store.reading() as unit:
        return await workflows.tasks(unit, run.id)


async def test_a_run_begins_with_its_steps_and_keeps_its_file(store: Store) -> None:
    run = await begun(store)
    assert (run.code, run.state, run.source) == ("WF-1", "waiting", "name: survey")
    assert [(t.step, t.item, t.state) for t in await tasks(store, run)] == [
        ("one", -1, State.WAITING),
        ("two", -1, State.WAITING),
    ]
    async with store.reading() as unit:
        found = await workflows.by_code(unit, "wf-1")
    assert found == run


async def test_the_same_start_is_the_same_run(store: Store) -> None:
    first = await begun(store, idempotency_key="k")
    again = await begun(store, idempotency_key="k")
    other = await begun(store, idempotency_key="k", started_by="bob")
    assert (again.code, other.code) == (first.code, "WF-2")


async def test_one_step_forward_is_stored_whole_and_audited(store: Store) -> None:
    run, held = await begun(store), await lease(store, "a")
    one = (await tasks(store, run))[0]
    due = NOW + timedelta(seconds=60)
    whole = replace(one, state=State.RUNNING, attempt=1, size=1)
    item = StepRow(
        step="one",
        item=0,
        state=State.RUNNING,
        attempt=1,
        value={"name": "n"},
        instruction="do it",
        due_at=due,
    )
    forward = Forward(before=run, state=State.RUNNING, tasks=((one, whole), (None, item)))
    after = await saved(store, forward, held)
    assert (after.state, after.epoch) == ("running", held.epoch)
    assert [t for t in await tasks(store, run) if t.step == "one"] == [whole, item]
    async with store.reading() as unit:
        entry = (await audit.entries(unit, "captain"))[-1]
        assert await audit.verify(unit, "captain") is None
    assert entry.target == "workflow:WF-1"
    assert '"from":"waiting"' in entry.details


async def test_who_lost_the_lease_changes_nothing(store: Store) -> None:
    run, old = await begun(store), await lease(store, "a")
    later = NOW + timedelta(seconds=11)
    new = await lease(store, "b", later)
    assert new.epoch > old.epoch
    forward = Forward(before=run, state=State.RUNNING)
    with pytest.raises(LeaseLost):
        await saved(store, forward, old, later)
    await saved(store, forward, new, later)
    with pytest.raises(LeaseLost):
        # It held the lease when it read the run, and not since.
        await saved(store, Forward(before=run, state=State.DONE), replace(new, epoch=1), later)


async def test_a_step_is_taken_from_where_it_was_read_or_not_at_all(store: Store) -> None:
    run, held = await begun(store), await lease(store, "a")
    one = (await tasks(store, run))[0]
    running = replace(one, state=State.RUNNING, attempt=1)
    first = Forward(before=run, state=State.RUNNING, tasks=((one, running),))
    after = await saved(store, first, held)
    with pytest.raises(LeaseLost):
        await saved(store, replace(first, before=after), held)
    twice = Forward(before=after, state=State.RUNNING, tasks=((None, replace(one, item=0)),) * 2)
    with pytest.raises(LeaseLost):
        await saved(store, twice, held)
    assert len(await tasks(store, run)) == 2, "nothing of it is kept"


async def test_who_has_an_attempt_is_noted_and_forgotten_with_the_next_one(store: Store) -> None:
    run, held = await begun(store), await lease(store, "a")
    one = (await tasks(store, run))[0]
    running = replace(one, state=State.RUNNING, attempt=1)
    run = await saved(
        store, Forward(before=run, state=State.RUNNING, tasks=((one, running),)), held
    )
    async with store.writing() as unit:
        await workflows.refer(
            unit, run, running, reference="D-1", doer="secretary", held=held, now=NOW
        )
    noted = (await tasks(store, run))[0]
    assert (noted.reference, noted.doer) == ("D-1", "secretary")
    again = replace(noted, attempt=2)
    await saved(store, Forward(before=run, state=State.RUNNING, tasks=((noted, again),)), held)
    assert (await tasks(store, run))[0].reference == ""
    with pytest.raises(LeaseLost):
        async with store.writing() as unit:
            await workflows.refer(unit, run, noted, reference="D-1", doer="x", held=held, now=NOW)


async def test_a_run_is_to_end_for_who_asked_first_unless_it_is_over(store: Store) -> None:
    run, held = await begun(store), await lease(store, "a")
    for who in ("alice", "bob"):
        async with store.writing() as unit:
            asked = await workflows.ask_cancel(unit, "WF-1", who, NOW)
        assert asked is not None
        assert asked.cancel_by == "alice"
    other = await begun(store)
    await saved(store, Forward(before=other, state=State.DONE), held)
    async with store.writing() as unit:
        over = await workflows.ask_cancel(unit, other.code, "alice", NOW)
        assert await workflows.ask_cancel(unit, "WF-9", "alice", NOW) is None
    assert over is not None
    assert over.cancel_by == ""
    async with store.reading() as unit:
        assert [r.code for r in await workflows.unfinished(unit)] == [run.code]
        assert [r.code for r in await workflows.recent(unit, 9)] == ["WF-2", "WF-1"]


async def test_old_runs_are_forgotten_with_their_steps(store: Store) -> None:
    run, held = await begun(store), await lease(store, "a")
    await begun(store)
    await saved(store, Forward(before=run, state=State.DONE), held)
    async with store.writing() as unit:
        assert await workflows.prune(unit, NOW) == 0
        assert await workflows.prune(unit, NOW + timedelta(days=1)) == 1
    assert await tasks(store, run) == []
    async with store.reading() as unit:
        assert [r.code for r in await workflows.recent(unit, 9)] == ["WF-2"]
