"""A day is a day, however people write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from brain.offline.when import read

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "spelled",
    [
        "27 April 2008",
        "27th of april 2008",
        "April 27, 2008",
        "Apr 27 2008",
        "27.4.2008",
        "2008-04-27",
    ],
)
def test_a_spelled_day_is_understood(spelled: str) -> None:
    when, rest = read(f"who mentioned youtube on {spelled}?", NOW)
    assert when.day == "2008-04-27"
    assert "2008" not in rest


def test_a_day_that_is_none_narrows_nothing() -> None:
    assert read("what happened on 31 February 2008?", NOW)[0].day is None
