"""Numbers come from browsers, so anything may stand in their place."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.console.numbers import measure, number


@given(st.text(), st.text(alphabet="0123456789٣²_-+. ", max_size=30))
def test_whatever_stands_there_is_a_number_or_none(anything: str, almost: str) -> None:
    for text in (anything, almost):
        assert 0 <= number(text) < 10**20
        for whole in (True, False):
            found = measure(text, whole=whole)
            assert found is None or abs(found) <= 2**53


@pytest.mark.parametrize("text", ["", "-1", "1.5", "٣", "1_0", "9" * 21, "9" * 5_000])
def test_what_is_no_id_is_0(text: str) -> None:
    assert number(text) == 0


def test_ids_and_measures_are_read() -> None:
    assert number("1438000000000000001") == 1438000000000000001
    assert (measure("-7", whole=True), measure("0.5", whole=False)) == (-7, 0.5)
    assert isinstance(measure("-7", whole=True), int)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e300", str(2**53 + 2), "9" * 5_000])
def test_what_no_application_could_be_given_is_no_measure(text: str) -> None:
    assert measure(text, whole=False) is None
    assert measure(text, whole=True) is None
    assert not math.isnan(number(text))
