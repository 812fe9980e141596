"""A bill that could not be booked is booked later, whoever is cancelled and whatever broke."""

from __future__ import annotations

import asyncio

import pytest

from brain.model import Usage
from brain.wallet.tariff import flat
from brain.wallet.wallet import Quote, Wallet
from storage.errors import StoreUnavailable
from storage.store import Store
from tests.integration.brain.ailing import Sick
from tests.integration.brain.purse import CAPTAIN, PRICE, SPEC, Purse, day

TARIFF = flat(PRICE.input, PRICE.output)
CALLS = 5
USED = Usage(input_tokens=2)


@pytest.fixture
def purse(store: Store) -> Purse:
    return Purse(store)


@pytest.fixture
def sick(store: Store) -> Sick:
    return Sick(store)


@pytest.fixture
def wallet(purse: Purse, sick: Sick) -> Wallet:
    return purse.wallet(day(10**9), store=sick)  # type: ignore[arg-type]


async def owing(wallet: Wallet, sick: Sick) -> None:
    """Bills of calls that the store would not take."""
    reserved = [
        await wallet.reserve(CAPTAIN, SPEC, Quote(nusd=9000, tariff=TARIFF)) for _ in range(CALLS)
    ]
    sick.failure = StoreUnavailable("locked")
    for one in reserved:
        await wallet.settle(one, USED)
    sick.failure = None


async def test_who_is_cancelled_while_old_bills_are_booked_loses_none(
    purse: Purse, wallet: Wallet, sick: Sick
) -> None:
    await owing(wallet, sick)
    sick.open.clear()
    asking = asyncio.create_task(wallet.reserve(CAPTAIN, SPEC, Quote(nusd=9000, tariff=TARIFF)))
    await asyncio.wait_for(sick.awaited.wait(), 20)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    sick.open.set()
    assert await purse.booked() == [("settled", 9000, 2000)] * CALLS


async def test_closing_that_is_cancelled_loses_none(
    purse: Purse, wallet: Wallet, sick: Sick
) -> None:
    await owing(wallet, sick)
    sick.open.clear()
    closing = asyncio.create_task(wallet.close())
    await asyncio.wait_for(sick.awaited.wait(), 20)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    sick.open.set()
    assert await purse.booked() == [("settled", 9000, 2000)] * CALLS


async def test_a_bill_outlives_any_error(purse: Purse, wallet: Wallet, sick: Sick) -> None:
    reservation = await wallet.reserve(CAPTAIN, SPEC, Quote(nusd=9000, tariff=TARIFF))
    sick.failure = ZeroDivisionError("a bug")
    with pytest.raises(ZeroDivisionError):
        await wallet.settle(reservation, USED)
    assert purse.events() == ["wallet.owed"]
    sick.failure = None
    assert await purse.booked() == [("settled", 9000, 2000)]


async def test_a_bill_that_is_never_taken_stands_in_nobody_s_way(
    purse: Purse, wallet: Wallet, sick: Sick
) -> None:
    reservation = await wallet.reserve(CAPTAIN, SPEC, Quote(nusd=9000, tariff=TARIFF))
    # More than any database counts.
    with pytest.raises(OverflowError):
        await wallet.settle(reservation, Usage(input_tokens=10**30))
    for _ in range(3):
        await wallet.reserve(CAPTAIN, SPEC, Quote(nusd=9000, tariff=TARIFF))
    await wallet.close()
    assert await purse.booked("state") == ["reserved"] * 4
    assert purse.events().count("wallet.owed") > 1
