"""The ledger beside the vendor's own bill, over calls of all kinds; `bench brains` has 10,000."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

from brain.model import Occasion, Usage
from brain.models.provider import ModelSpec
from brain.wallet.budgets import Budget, Window
from brain.wallet.wallet import Quote
from storage.store import Store
from tests.integration.brain.purse import CAPTAIN, SPEC, Purse

CALLS = 2_500
#: US dollars for a million tokens: input, output, read from and written to the cache
LISTED = {
    "claude-haiku-4-5": (Fraction(1), Fraction(5), Fraction("0.1"), Fraction("1.25")),
    "gpt-5-mini": (Fraction("0.25"), Fraction(2), Fraction("0.025"), Fraction("0.25")),
    "claude-of-tests": (Fraction(1), Fraction(10), Fraction(1), Fraction(1)),
}
MODELS = (
    replace(SPEC, name="small", model="claude-haiku-4-5", price=None),
    replace(SPEC, name="mini", provider="openai", model="gpt-5-mini", price=None),
    SPEC,
)


def billed_usd(model: str, usage: Usage) -> Fraction:
    """As a vendor adds it up."""
    given, made, read, written = LISTED[model]
    dollars = (
        given * usage.input_tokens
        + made * usage.output_tokens
        + read * usage.cache_read_tokens
        + written * usage.cache_write_tokens
    )
    return dollars / 10**6


def used(dice: random.Random) -> Usage:
    return Usage(
        input_tokens=dice.randint(1, 4000),
        output_tokens=dice.randint(1, 400),
        cache_read_tokens=dice.choice((0, 0, dice.randint(1, 9000))),
        cache_write_tokens=dice.choice((0, 0, dice.randint(1, 9000))),
    )


async def test_the_ledger_is_within_one_percent_of_the_bill_and_never_below_it(
    store: Store,
) -> None:
    purse, dice = Purse(store), random.Random(7)
    wallet = purse.wallet(Budget(window=Window.TASK, nusd=10**9, agent="captain"))
    bill = Fraction(0)
    ways = ("answered",) * 850 + ("failed",) * 148 + ("cut",) * 2
    for number in range(CALLS):
        spec: ModelSpec = MODELS[number % 3]
        occasion: Occasion = replace(CAPTAIN, task=f"inbox:{number // 3}")
        tariff = purse.prices.tariff_of(spec, purse.now)
        quote = Quote(nusd=tariff.most_nusd(22_000, 400), tariff=tariff)
        reservation = await wallet.reserve(occasion, spec, quote)
        usage, way = used(dice), dice.choice(ways)
        if way == "answered":
            bill += billed_usd(spec.model, usage)
            await wallet.settle(reservation, usage)
        elif way == "cut":
            bill += billed_usd(spec.model, replace(usage, output_tokens=1))
            wallet.forfeit(reservation)
        else:
            await wallet.refund(reservation)
    rows = await purse.booked("state", "cost_nusd")
    assert len(rows) == CALLS
    assert {state for state, _ in rows} == {"settled", "refunded"}
    ledger = Fraction(sum(cost for _, cost in rows), 10**9)
    assert bill <= ledger <= bill * Fraction(101, 100)
    print(f"{CALLS} calls: billed {float(bill):.6f} USD, ledger {float(ledger):.6f} USD")
