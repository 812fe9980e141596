"""One request that is permitted, paid and accounted for, whatever becomes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from brain.errors import (
    BadAnswer,
    CutShort,
    LoginRefused,
    ModelFailed,
    NoSuchModel,
    NoUsableKey,
    OverBudget,
    Overloaded,
    PriceUnknown,
    RateLimited,
    Refused,
)
from brain.model import Completion, Conversation, Reader, Usage
from brain.models.breaking import Breaking
from brain.models.provider import Key
from storage.core import AUDIT, run
from storage.latch import Latch
from storage.store import Store
from tests.integration.brain.ailing import Sick
from tests.integration.brain.purse import KEYS, SPEC, Purse, always, conversation, day
from tests.integration.brain.stage import NOW

USED = Usage(input_tokens=50, output_tokens=20)
#: 50 tokens at 1 dollar a million, 20 at 10
COST = 50 * 1000 + 20 * 10_000
DONE = Completion(text="Hello.", usage=USED)
PLENTY = day(10**9)
KILLED = Latch(scope="all", killed=True, by="alice", door="irc", reason="enough", changed_at=NOW)


@pytest.fixture
def purse(store: Store) -> Purse:
    return Purse(store)


async def failing(asked: Awaitable[Completion], kind: type[Exception]) -> str:
    with pytest.raises(kind) as raised:
        await asked
    return str(raised.value)


async def test_a_completion_says_what_it_cost_and_the_ledger_says_the_same(purse: Purse) -> None:
    model, provider = purse.metered(always(DONE), PLENTY)
    completion = await model.query(conversation())
    assert (completion.text, completion.cost_nusd) == ("Hello.", COST)
    assert provider.asked == [KEYS[0]]
    ((state, reserved, cost),) = await purse.booked()
    assert (state, cost) == ("settled", COST)
    assert reserved > cost
    columns = ("agent", "model", "provider_model", "key", "session", "task", "trace_id", "epoch")
    assert await purse.booked(*columns) == [
        ("captain", "clever", SPEC.model, "env:ONE", "irc:#lobby", "inbox:1", "trace-1", 1)
    ]


async def test_the_guard_is_told_the_sum_but_no_words(purse: Purse) -> None:
    model, _ = purse.metered(always(DONE), PLENTY)
    await model.query(conversation("my secret plan"))
    async with purse.store.reading() as unit:
        (entry,) = (await run(unit, sa.select(AUDIT))).mappings().all()
    ((_, reserved, _),) = await purse.booked()
    assert (entry["verb"], entry["target"]) == ("query", "model:clever")
    assert f'"reserved_nusd":{reserved}' in str(entry["details"]).replace(" ", "")
    assert "secret" not in str(dict(entry))


async def test_a_killed_agent_asks_no_model_and_spends_nothing(purse: Purse) -> None:
    purse.latch = KILLED
    model, provider = purse.metered(always(DONE), PLENTY)
    await failing(model.query(conversation()), Refused)
    assert provider.asked == []
    assert [(state, cost) for state, _, cost in await purse.booked()] == [("refunded", 0)]


async def test_nothing_leaves_after_a_kill_though_the_ledger_was_slow(
    purse: Purse, store: Store
) -> None:
    slow = Sick(store)
    slow.open.clear()
    wallet = purse.wallet(PLENTY, store=slow)  # type: ignore[arg-type]
    model, provider = purse.metered(always(DONE), wallet=wallet)
    asking = asyncio.create_task(model.query(conversation()))
    await asyncio.wait_for(slow.awaited.wait(), 20)
    purse.latch = KILLED
    slow.open.set()
    await failing(asking, Refused)
    assert provider.asked == []
    assert [(state, cost) for state, _, cost in await purse.booked()] == [("refunded", 0)]


async def test_a_wait_without_end_gives_the_money_back_and_is_told(purse: Purse) -> None:
    for asked_s in (1_735_689_600_000.0, 1e300, float("inf")):
        model, _ = purse.metered(always(RateLimited("busy", retry_after_s=asked_s)), PLENTY)
        await failing(model.query(conversation()), RateLimited)
    assert {(state, cost) for state, _, cost in await purse.booked()} == {("refunded", 0)}


@pytest.mark.parametrize(
    "error",
    [LoginRefused("no"), NoSuchModel("no"), RateLimited("no"), Overloaded("no"), BadAnswer("no")],
)
async def test_a_failure_gives_the_money_back(purse: Purse, error: ModelFailed) -> None:
    model, _ = purse.metered(always(error), PLENTY)
    await failing(model.query(conversation()), type(error))
    assert [(state, cost) for state, _, cost in await purse.booked()] == [("refunded", 0)]


async def test_a_failure_that_was_billed_is_booked_as_it_was(purse: Purse) -> None:
    error = CutShort("cut")
    error.usage = USED
    model, _ = purse.metered(always(error), PLENTY)
    await failing(model.query(conversation()), CutShort)
    assert [(state, cost) for state, _, cost in await purse.booked()] == [("settled", COST)]


async def test_an_answer_that_was_cut_counts_in_full_when_nobody_says_what_it_cost(
    purse: Purse,
) -> None:
    model, _ = purse.metered(always(CutShort("cut")), PLENTY)
    await failing(model.query(conversation()), CutShort)
    ((state, reserved, cost),) = await purse.booked()
    assert (state, cost) == ("settled", reserved)


async def test_hanging_up_on_an_answer_ends_at_once_and_counts_in_full(purse: Purse) -> None:
    begun = asyncio.Event()

    async def answer(_c: Conversation, _k: Key | None, _r: Reader | None) -> Completion:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    model, _ = purse.metered(answer, PLENTY)
    asking = asyncio.create_task(model.query(conversation()))
    await asyncio.wait_for(begun.wait(), 20)
    # Another process has the database: hanging up does not wait for it.
    async with purse.store.writing():
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(asking, 1)
    ((state, reserved, cost),) = await purse.booked()
    assert (state, cost) == ("settled", reserved)


async def test_who_hangs_up_before_the_request_leaves_pays_nothing(purse: Purse) -> None:
    """Wherever between the first look and the call it happens."""
    for turns in range(1, 60):
        model, provider = purse.metered(always(DONE), PLENTY)
        asking = asyncio.create_task(model.query(conversation()))
        for _ in range(turns):
            await asyncio.sleep(0)
        if provider.asked:
            await asking
            break
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert provider.asked == []
        assert {state for state, _, _ in await purse.booked()} <= {"refunded"}


async def test_a_breakdown_in_the_provider_counts_in_full(purse: Purse) -> None:
    model, _ = purse.metered(always(ZeroDivisionError("a bug")), PLENTY)
    await failing(model.query(conversation()), ZeroDivisionError)
    ((state, reserved, cost),) = await purse.booked()
    assert (state, cost) == ("settled", reserved)


async def test_a_call_that_could_cross_the_budget_is_not_made(purse: Purse) -> None:
    model, provider = purse.metered(always(DONE), day(1000))
    sentence = await failing(model.query(conversation()), OverBudget)
    assert sentence.startswith("The budget is 0.000001 USD a day of captain: 0.00 USD are spent")
    assert (provider.asked, await purse.booked()) == ([], [])


async def test_a_call_that_nobody_pays_for_is_not_made(purse: Purse) -> None:
    model, provider = purse.metered(always(DONE))
    await failing(model.query(conversation(occasion=None)), OverBudget)
    assert (provider.asked, await purse.booked()) == ([], [])


async def test_a_call_of_unknown_price_is_not_made(purse: Purse) -> None:
    model, provider = purse.metered(always(DONE), spec=replace(SPEC, price=None))
    sentence = await failing(model.query(conversation()), PriceUnknown)
    assert "[models.clever.price]" in sentence
    assert (provider.asked, await purse.booked()) == ([], [])


async def test_without_a_key_nothing_is_reserved(purse: Purse) -> None:
    model, provider = purse.metered(always(DONE), spec=replace(SPEC, keys=()))
    await failing(model.query(conversation()), NoUsableKey)
    assert (provider.asked, await purse.booked()) == ([], [])


async def test_a_refused_key_rests_and_the_next_one_is_tried_at_once(purse: Purse) -> None:
    async def answer(_c: Conversation, key: Key | None, _r: Reader | None) -> Completion:
        await asyncio.sleep(0)
        if key == KEYS[0]:
            raise LoginRefused(f"{key.name} has expired")
        return DONE

    model, provider = purse.metered(answer, spec=replace(SPEC, keys=KEYS))
    for _ in range(4):
        await model.query(conversation())
    assert provider.asked == [KEYS[0], KEYS[1], KEYS[1], KEYS[1], KEYS[1]]


async def test_one_bad_key_of_a_pool_opens_nobodys_circuit(purse: Purse) -> None:
    async def answer(_c: Conversation, key: Key | None, _r: Reader | None) -> Completion:
        await asyncio.sleep(0)
        if key == KEYS[0]:
            raise LoginRefused(f"{key.name} has expired")
        return DONE

    metered, _ = purse.metered(answer, spec=replace(SPEC, keys=KEYS))
    breaking = Breaking(
        metered, purse.store, agent="captain", now=purse.clock, clock=time.monotonic
    )
    for _ in range(5):
        purse.now += timedelta(minutes=2)
        assert (await breaking.query(conversation())).text == DONE.text


async def test_where_every_key_is_refused_that_is_told(purse: Purse) -> None:
    model, provider = purse.metered(always(LoginRefused("no")), spec=replace(SPEC, keys=KEYS))
    await failing(model.query(conversation()), LoginRefused)
    assert provider.asked == [*KEYS]


async def test_agents_share_the_requests_of_a_key(purse: Purse) -> None:
    spec = replace(SPEC, keys=KEYS, requests_per_minute=2)
    models = [purse.metered(always(DONE), spec=spec) for _ in range(5)]
    asked = await asyncio.gather(
        *(model.query(conversation()) for model, _ in models), return_exceptions=True
    )
    assert sum(isinstance(one, Completion) for one in asked) == 4
    (busy,) = [one for one in asked if isinstance(one, RateLimited)]
    assert busy.retry_after_s == 60
    assert sorted(await purse.booked("key")) == ["env:ONE", "env:ONE", "env:TWO", "env:TWO"]


async def test_no_key_is_in_the_ledger_the_audit_or_the_log(purse: Purse) -> None:
    model, _ = purse.metered(always(LoginRefused("no")), day(10**12), spec=replace(SPEC, keys=KEYS))
    await failing(model.query(conversation()), LoginRefused)
    async with purse.store.reading() as unit:
        audited = (await run(unit, sa.select(AUDIT))).all()
    written = f"{await purse.booked('key', 'trace_id')} {audited} {purse.logged.calls}"
    assert "env:ONE" in written
    assert not any(key.value in written for key in KEYS)
