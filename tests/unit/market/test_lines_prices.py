"""A price reads as it is meant in several languages, exactly, and is written for all of them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market import price
from market.misread import Refused


@pytest.mark.parametrize(
    ("text", "sum_credits"),
    [
        ("5", "5"),
        ("5.00", "5"),
        (".5", "0.5"),
        ("0,05", "0.05"),
        ("2,5", "2.5"),
        ("1,234", "1234"),
        ("0,234", "0.234"),
        ("1,2345", "1.2345"),
        ("1234,567", "1234.567"),
        ("1.234", "1.234"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1 234,56", "1234.56"),
        ("1\N{NARROW NO-BREAK SPACE}234,56", "1234.56"),
        ("1'234.56", "1234.56"),
        ("1\N{RIGHT SINGLE QUOTATION MARK}234.56", "1234.56"),
        ("1.234.567", "1234567"),
        ("1,234,567", "1234567"),
        ("12,34,567.5", "1234567.5"),
        ("1.234,567", "1234.567"),
        ("\u0661\u0662\u066b\u0665", "12.5"),
        ("१२.५", "12.5"),
        ("0.000001", "0.000001"),
        ("0.10000000000", "0.1"),
        ("1000000000", "1000000000"),
        ("$0.05 USDC", "0.05"),
        ("5 credits", "5"),
        ("1 credit", "1"),
        ("US$ 5", "5"),
    ],
)
def test_a_price_reads_as_it_is_meant(text: str, sum_credits: str) -> None:
    assert price.parse(text) == Decimal(sum_credits) * price.CREDIT


@pytest.mark.parametrize(
    "text",
    [
        *("", "$", ".", ",", "0x10", "1/2", "5k", "5 5$ $", "5 EUR", "\N{POUND SIGN}5", "5\x00"),
        *("1,23,4", "1.23.4", "12 34", "1 23", "1'23", "01,234.5.6", "1.234,567.8", "1,234,56"),
        *("nan", "-inf", "1e3", "five", "\u0663\u066b5", "\u00bd", "\u00b2"),
        *("--5", "- 5", "(5)", "5-", "+5", "9" * 41, "0,000001.5", "1000000000,5"),
    ],
)
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        price.parse(text)


@given(st.integers(1, price.MOST_MICROCREDITS))
def test_a_price_is_written_as_it_was_and_no_reader_sees_thousands(micros: int) -> None:
    text = price.written(micros)
    assert price.parse(text) == micros
    assert Decimal(text) * price.CREDIT == micros
    assert len(text.partition(".")[2]) not in {0, 1, 3}


@given(st.integers(1, 10**11 - 1), st.sampled_from([",.", ".,", " ,", "'.", "_.", " ."]))
def test_sums_to_the_cent_read_alike_with_the_marks_of_any_language(cents: int, marks: str) -> None:
    units, part = divmod(cents, 100)
    text = f"{units:,}".replace(",", marks[0]) + f"{marks[1]}{part:02d}"
    assert price.parse(text) == cents * price.CREDIT // 100


@given(st.text(max_size=50))
def test_any_text_is_a_sum_within_the_bounds_or_refused(text: str) -> None:
    try:
        found = price.parse(text)
    except Refused:
        return
    assert 0 < found <= price.MOST_MICROCREDITS
