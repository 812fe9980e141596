"""The ledger of model calls: ceilings that hold, bills that are booked once."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage import spending
from storage.spending import (
    Bill,
    Call,
    Ceiling,
    Crossing,
    KeyLimit,
    KeysBusy,
    Reserved,
    Slice,
    Spent,
)
from storage.store import Store
from storage.unit import Unit

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RACER = Path(__file__).with_name("racer.py")
ROOT = Path(__file__).parents[3]
ANY_KEY = (KeyLimit(name=""),)
Sql = Callable[[str], list[Any]]


def call(nusd: int = 100, **more: Any) -> Call:
    given: dict[str, Any] = {
        "agent": "captain",
        "model": "clever",
        "provider_model": "claude-of-tests",
        "session": "irc:#lobby",
        "task": "inbox:1",
        "at": NOON,
        "epoch": 3,
        "trace_id": "trace-1",
    }
    return Call(reserved_nusd=nusd, **given | more)


def ceiling(nusd: int, **slice_: Any) -> Ceiling:
    return Ceiling(slice=Slice(**slice_), nusd=nusd)


async def reserve(
    store: Store, wanted: Call, *ceilings: Ceiling, keys: Sequence[KeyLimit] = ANY_KEY
) -> Reserved | Crossing | KeysBusy:
    return await store.write(lambda unit: spending.reserve(unit, wanted, ceilings, keys))


async def reserved(store: Store, wanted: Call, *ceilings: Ceiling) -> int:
    found = await reserve(store, wanted, *ceilings)
    assert isinstance(found, Reserved), found
    return found.id


async def settle(store: Store, id_: int, nusd: int) -> bool:
    bill = Bill(nusd=nusd, input_tokens=5, output_tokens=6)
    return await store.write(lambda unit: spending.settle(unit, id_, bill, now=NOON))


async def spent(store: Store, **slice_: Any) -> Spent:
    (found,) = await store.read(lambda unit: spending.spent(unit, [Slice(**slice_)]))
    return found


async def test_a_call_counts_with_what_it_may_cost_then_with_what_it_did(store: Store) -> None:
    first = await reserved(store, call(100))
    second = await reserved(store, call(50))
    assert await spent(store) == Spent(reserved_nusd=150)
    assert await settle(store, first, 30)
    assert await store.write(lambda unit: spending.refund(unit, second, now=NOON))
    assert await spent(store) == Spent(settled_nusd=30)


async def test_a_ceiling_is_reached_and_never_crossed(store: Store) -> None:
    top = ceiling(150, agent="captain")
    await reserved(store, call(100), top)
    await reserved(store, call(50), top)
    assert await reserve(store, call(1), top) == Crossing(
        ceiling=top, spent=Spent(reserved_nusd=150)
    )
    assert await spent(store) == Spent(reserved_nusd=150)
    await reserved(store, call(0), top)


async def test_every_ceiling_must_hold(store: Store) -> None:
    await reserved(store, call(100, agent="auditor", task="inbox:9"))
    own, swarm = ceiling(100, agent="captain"), ceiling(150)
    found = await reserve(store, call(100), own, swarm)
    assert found == Crossing(ceiling=swarm, spent=Spent(reserved_nusd=100))
    await reserved(store, call(50), own, swarm)


async def test_slices_are_by_agent_task_and_time(store: Store) -> None:
    for number, (agent, task, ago) in enumerate(
        [("captain", "inbox:1", 0), ("captain", "inbox:2", 2), ("auditor", "inbox:1", 3)]
    ):
        await reserved(store, call(10**number, agent=agent, task=task, at=NOON - ago * HOUR))
    slices = [
        Slice(),
        Slice(agent="captain"),
        Slice(task="inbox:1"),
        Slice(agent="captain", task="inbox:1"),
        Slice(since=NOON - 2 * HOUR),
        Slice(agent="auditor", since=NOON - 2 * HOUR),
    ]
    sums = await store.read(lambda unit: spending.spent(unit, slices))
    assert [one.nusd for one in sums] == [111, 11, 101, 1, 11, 0]


async def test_a_bill_is_booked_once_and_with_its_tokens(store: Store, sql: Sql) -> None:
    id_ = await reserved(store, call(100))
    assert await settle(store, id_, 40)
    assert not await settle(store, id_, 90)
    assert not await store.write(lambda unit: spending.refund(unit, id_, now=NOON))
    counts = "state, cost_nusd, input_tokens, output_tokens"
    assert [tuple(row) for row in sql(f"SELECT {counts} FROM spending")] == [("settled", 40, 5, 6)]


async def test_what_was_given_back_is_not_billed(store: Store) -> None:
    id_ = await reserved(store, call(100))
    assert await store.write(lambda unit: spending.refund(unit, id_, now=NOON))
    assert not await settle(store, id_, 40)
    assert await spent(store) == Spent()


async def test_a_bill_above_the_reservation_is_booked_as_it_is(store: Store) -> None:
    id_ = await reserved(store, call(100), ceiling(100))
    assert await settle(store, id_, 130)
    found = await reserve(store, call(1), ceiling(100))
    assert found == Crossing(ceiling=ceiling(100), spent=Spent(settled_nusd=130))


async def test_sums_beyond_what_32_bits_hold(store: Store) -> None:
    for _ in range(3):
        await settle(store, await reserved(store, call(10**17)), 10**17)
    assert await spent(store) == Spent(settled_nusd=3 * 10**17)


async def test_what_dead_processes_reserved_is_booked_in_full(store: Store) -> None:
    old = await reserved(store, call(100, epoch=2))
    await settle(store, await reserved(store, call(70, epoch=1)), 7)
    await reserved(store, call(10, epoch=3))
    await reserved(store, call(1, epoch=1, agent="auditor"))

    async def recover() -> int:
        return await store.write(lambda unit: spending.abandoned(unit, "captain", 3, now=NOON))

    assert [await recover(), await recover()] == [1, 0]
    assert await spent(store, agent="captain") == Spent(settled_nusd=107, reserved_nusd=10)
    assert await spent(store, agent="auditor") == Spent(reserved_nusd=1)
    assert not await settle(store, old, 5), "its process was only slow: the full sum stays booked"


async def test_a_key_has_so_many_requests_in_any_minute(store: Store) -> None:
    keys = [KeyLimit(name="env:ONE", per_minute=2), KeyLimit(name="env:TWO", per_minute=1)]

    async def ask(after_s: float) -> str | datetime:
        at = NOON + timedelta(seconds=after_s)
        found = await reserve(store, call(0, at=at, agent=f"a{after_s}"), keys=keys)
        assert not isinstance(found, Crossing)
        return found.key if isinstance(found, Reserved) else found.free_at

    assert [await ask(s) for s in (0, 10, 20)] == ["env:ONE", "env:ONE", "env:TWO"]
    assert await ask(30) == NOON + timedelta(seconds=60)
    assert await ask(60) == "env:ONE"
    assert await ask(61) == NOON + timedelta(seconds=70)


async def test_models_without_a_key_share_no_limit(store: Store) -> None:
    once = [KeyLimit(name="", per_minute=1)]
    assert isinstance(await reserve(store, call(0), keys=once), Reserved)
    assert isinstance(await reserve(store, call(0, model="other"), keys=once), Reserved)
    assert isinstance(await reserve(store, call(0), keys=once), KeysBusy)


async def test_old_calls_are_forgotten(store: Store) -> None:
    for days in (1, 89, 91):
        await reserved(store, call(days, at=NOON - timedelta(days=days)))
    before = NOON - timedelta(days=90)
    assert await store.write(lambda unit: spending.prune(unit, before)) == 1
    assert (await spent(store)).nusd == 1 + 89


async def test_a_rolled_back_reservation_was_never_made(store: Store) -> None:
    async def change_ones_mind(unit: Unit) -> None:
        await spending.reserve(unit, call(100), [], ANY_KEY)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.write(change_ones_mind)
    assert await spent(store) == Spent()


async def test_24_processes_race_for_one_budget_and_stay_below_it(store: Store) -> None:
    budget = 500_000_000
    url = store.url.render_as_string(hide_password=False)
    racing = await asyncio.create_subprocess_exec(
        *(sys.executable, str(RACER), url, "24", str(budget)),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await asyncio.wait_for(racing.communicate(), 100)
    assert racing.returncode == 0, told.decode()
    whole = await spent(store)
    assert whole.reserved_nusd == 0
    # The last sums that were refused were at most a 200th of it: nothing much was left.
    assert budget * 0.98 < whole.settled_nusd <= budget


async def test_bills_are_added_up_by_agent_and_model(store: Store) -> None:
    for agent, model, days, nusd in (
        ("captain", "clever", 0, 3 * 10**9),
        ("captain", "clever", 2, 5),
        ("captain", "small", 0, 7),
        ("auditor", "clever", 2, 11),
    ):
        made = call(nusd, agent=agent, model=model, at=NOON - timedelta(days=days))
        await settle(store, await reserved(store, made), nusd)
    await reserved(store, call(99, agent="auditor"))
    found = await store.read(lambda unit: spending.bills(unit, NOON - HOUR))
    sums = [(b.agent, b.model, b.today.nusd, b.in_all.nusd) for b in found]
    assert sums == [
        ("auditor", "clever", 0, 11),
        ("captain", "clever", 3 * 10**9, 3 * 10**9 + 5),
        ("captain", "small", 7, 7),
    ]
    assert (found[1].today.input_tokens, found[1].in_all.output_tokens) == (5, 12)
