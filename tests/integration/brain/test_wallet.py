"""The wallet: budgets that hold, warnings that come once, bills that are never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from brain.errors import OverBudget
from brain.model import Occasion, Usage
from brain.wallet.budgets import Budget, Window
from brain.wallet.tariff import FREE, flat
from brain.wallet.wallet import Quote, Reservation, Wallet
from storage.errors import StoreUnavailable
from storage.store import Store
from tests.integration.brain.purse import CAPTAIN, PRICE, SPEC, Purse, conversation, day

TARIFF = flat(PRICE.input, PRICE.output)
#: one token of input
TOKEN = 1000
HALF_A_DOLLAR = 500_000_000


@pytest.fixture
def purse(store: Store) -> Purse:
    return Purse(store)


async def reserve(wallet: Wallet, nusd: int, occasion: Occasion = CAPTAIN) -> Reservation:
    return await wallet.reserve(occasion, SPEC, Quote(nusd=nusd, tariff=TARIFF))


async def spend(
    wallet: Wallet, tokens: int, *, reserved: int | None = None, occasion: Occasion = CAPTAIN
) -> None:
    reservation = await reserve(wallet, reserved or tokens * TOKEN, occasion)
    assert await wallet.settle(reservation, Usage(input_tokens=tokens)) == tokens * TOKEN


async def test_fifty_cents_are_fifty_cents(purse: Purse) -> None:
    wallet = purse.wallet(day(HALF_A_DOLLAR))
    for _ in range(4):
        await spend(wallet, 124_999)
    # 0.499996 dollars are spent: four tokens fit, a fifth does not.
    with pytest.raises(OverBudget):
        await spend(wallet, 5)
    await spend(wallet, 4)
    with pytest.raises(OverBudget, match=r"0.50 USD a day of captain: 0.50 USD are spent"):
        await reserve(wallet, 1)


async def test_calls_under_way_count_with_what_they_may_cost(purse: Purse) -> None:
    wallet = purse.wallet(day(100))
    first = await reserve(wallet, 60)
    with pytest.raises(OverBudget, match="set aside for calls under way"):
        await reserve(wallet, 50)
    await wallet.refund(first)
    await reserve(wallet, 50)


async def test_of_many_calls_at_once_only_as_many_are_made_as_fit(purse: Purse) -> None:
    wallet = purse.wallet(day(1000))
    asked = await asyncio.gather(*(reserve(wallet, 150) for _ in range(24)), return_exceptions=True)
    assert sum(isinstance(one, Reservation) for one in asked) == 6
    assert sum(isinstance(one, OverBudget) for one in asked) == 18


async def test_an_hour_forgets_and_a_task_does_not(purse: Purse) -> None:
    wallet = purse.wallet(
        Budget(window=Window.HOUR, nusd=5000, agent="captain"),
        Budget(window=Window.TASK, nusd=8000, agent="captain"),
    )
    await spend(wallet, 5)
    purse.now += timedelta(minutes=59, seconds=59)
    with pytest.raises(OverBudget, match="an hour of captain"):
        await reserve(wallet, 1)
    purse.now += timedelta(seconds=1)
    await spend(wallet, 3)
    purse.now += timedelta(days=40)
    with pytest.raises(OverBudget, match="a task of captain"):
        await reserve(wallet, 1)
    await spend(wallet, 5, occasion=replace(CAPTAIN, task="inbox:2"))


async def test_the_swarm_s_budget_counts_everybody_s_calls(purse: Purse) -> None:
    budgets = (day(9000), day(10_000, agent=None))
    captain, auditor = purse.wallet(*budgets), purse.wallet(*budgets)
    other = replace(CAPTAIN, agent="auditor")
    await spend(captain, 7)
    await spend(auditor, 3, occasion=other)
    with pytest.raises(OverBudget, match="a day of the swarm"):
        await reserve(auditor, 1, other)


async def test_people_are_warned_once_when_80_percent_are_spent(purse: Purse) -> None:
    wallet = purse.wallet(day(100_000), day(200_000, agent=None))
    for _ in range(9):
        await spend(wallet, 10)
    (warning,) = purse.warned
    assert (warning.budget, warning.spent_nusd) == (day(100_000), 80_000)
    purse.now += timedelta(days=1)
    await spend(wallet, 80)
    assert [w.spent_nusd for w in purse.warned] == [80_000, 80_000]


async def test_of_two_processes_one_warns_for_the_swarm(purse: Purse) -> None:
    swarm = day(100_000, agent=None)
    wallets = [purse.wallet(swarm), purse.wallet(swarm)]
    for turn in range(10):
        await spend(wallets[turn % 2], 9)
    assert [w.spent_nusd for w in purse.warned] == [81_000]


async def test_an_hour_that_fills_again_warns_no_more_often_than_hourly(purse: Purse) -> None:
    wallet = purse.wallet(Budget(window=Window.HOUR, nusd=10_000, agent="captain"))
    for minutes, tokens in ((0, 1), (30, 7), (31, 1), (61, 1), (92, 9), (160, 9)):
        purse.now = purse.now.replace(hour=1, minute=0) + timedelta(minutes=minutes)
        if tokens == 9:
            with pytest.raises(OverBudget):
                await reserve(wallet, 11_000)
        await spend(wallet, tokens)
    # At 0:30 it comes to 8, at 0:61 to 9 of 10; at 1:32 to 10; at 2:40 again to 9.
    assert [w.spent_nusd for w in purse.warned] == [8000, 10_000, 9000]


async def test_a_bill_above_the_reservation_is_booked_and_logged(purse: Purse) -> None:
    wallet = purse.wallet(day(10_000))
    await spend(wallet, 12, reserved=5000)
    assert await purse.booked() == [("settled", 5000, 12_000)]
    assert "wallet.above_reservation" in purse.events()
    with pytest.raises(OverBudget):
        await reserve(wallet, 1)


async def test_a_model_that_costs_nothing_goes_on_when_the_money_is_gone(purse: Purse) -> None:
    wallet = purse.wallet(day(0))
    free = await wallet.reserve(CAPTAIN, SPEC, Quote(nusd=0, tariff=FREE))
    assert await wallet.settle(free, Usage(input_tokens=9)) == 0
    assert await purse.booked("state", "cost_nusd", "input_tokens") == [("settled", 0, 9)]


async def test_a_ledger_that_cannot_be_written_means_no(purse: Purse, store: Store) -> None:
    shut = await Store.open(store.url.render_as_string(hide_password=False))
    wallet = purse.wallet(day(10**9), store=shut)
    await shut.close()
    with pytest.raises(StoreUnavailable):
        await reserve(wallet, 1)
    assert await purse.booked() == []


async def test_a_bill_that_the_store_would_not_take_is_booked_later(
    purse: Purse, store: Store
) -> None:
    url = store.url.render_as_string(hide_password=False)
    impatient = await Store.open(url, busy_timeout_ms=50)
    wallet = purse.wallet(day(10_000), store=impatient)
    reservation = await reserve(wallet, 9000)
    async with store.writing():
        # The answer is there all the same, with its cost.
        assert await wallet.settle(reservation, Usage(input_tokens=2)) == 2000
        assert purse.events() == ["wallet.owed"]
    await reserve(wallet, 8000)
    assert await purse.booked() == [("settled", 9000, 2000), ("reserved", 8000, 0)]
    await impatient.close()


async def test_a_bill_is_booked_though_its_caller_was_cancelled(purse: Purse) -> None:
    wallet = purse.wallet(day(10_000))
    reservation = await reserve(wallet, 9000)
    settling = asyncio.create_task(wallet.settle(reservation, Usage(input_tokens=2)))
    await asyncio.sleep(0)
    settling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await settling
    assert await purse.booked() == [("settled", 9000, 2000)]


async def test_nothing_is_kept_of_calls_that_are_booked(purse: Purse) -> None:
    wallet = purse.wallet(day(10**9))
    for _ in range(20):
        await spend(wallet, 1)
    await wallet.close()
    kept: Sequence[object] = [*wallet._owed, *wallet._at_work]
    assert kept == []


async def test_a_quote_is_the_longest_answer_to_the_whole_request(purse: Purse) -> None:
    wallet = purse.wallet()
    short = wallet.quote(SPEC, conversation("hello")).nusd
    longer = wallet.quote(SPEC, conversation("hello" * 1000)).nusd
    assert longer - short == 999 * 5 * TOKEN
    few = wallet.quote(SPEC, replace(conversation("hello"), max_output_tokens=20)).nusd
    assert short - few == 80 * 10_000
