"""Sums of money as people write them: exact, bounded, and never guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.money import UNIT, Money, NoMoney, amount, parse


@pytest.mark.parametrize(
    ("text", "micros", "currency"),
    [
        ("12.50 EUR", 12_500_000, "EUR"),
        ("$1,200", 1_200_000_000, "USD"),
        ("usd 3", 3_000_000, "USD"),
        ("  0.000001   usdc ", 1, "USDC"),
        ("7€", 7_000_000, "EUR"),
        ("3 dollars", 3_000_000, "USD"),
        ("0", 0, "GBP"),
        ("0.125 EUR", 125_000, "EUR"),
        ("1.1250 EUR", 1_125_000, "EUR"),
        ("1,200.000 EUR", 1_200_000_000, "EUR"),
        ("999999999999.999999 EUR", 999_999_999_999_999_999, "EUR"),
    ],
)
def test_what_people_write(text: str, micros: int, currency: str) -> None:
    assert parse(text, "GBP") == Money(micros, currency)


@pytest.mark.parametrize(
    "text",
    [
        *("", "-5 EUR", "1,5 EUR", "1.2.3", "1e9 EUR", "12 34 EUR", "1,2345 EUR", "NaN", "$5 EUR"),
        *("1000000000000 EUR", "0.0000001 EUR", "٣ EUR", "5 EU", "5 parsecs", "9" * 5000),
        *("1.200 EUR", "999.999"),
    ],
)
def test_what_is_no_sum_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(NoMoney):
        parse(text, "EUR")


def test_a_sum_without_a_currency_is_none() -> None:
    with pytest.raises(NoMoney, match="which currency"):
        parse("12")


@given(st.integers(0, 10**12 * UNIT - 1), st.sampled_from(["EUR", "USD", "USDC"]))
def test_what_is_shown_means_the_same_again(micros: int, currency: str) -> None:
    money = Money(micros, currency)
    assert parse(str(money)) == money


@given(st.text(max_size=60))
def test_any_text_is_a_sum_or_refused(text: str) -> None:
    try:
        found = parse(text, "EUR")
    except NoMoney:
        return
    assert 0 <= found.micros < 10**12 * UNIT


def test_a_loss_has_its_sign() -> None:
    assert amount(-1_234_500_000) == "-1,234.50"
