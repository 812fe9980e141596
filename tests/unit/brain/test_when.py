from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from brain.errors import BadArguments
from brain.offline import when
from brain.tools.period import ago, clock, period

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "hours", "day", "rest"),
    [
        ("wine in the last 2 hours", 2, None, "wine"),
        ("wine over the past half hour", 0.5, None, "wine"),
        ("in the last couple of days", 48, None, ""),
        ("last 45 mins", 0.75, None, ""),
        ("wine 3 hours ago", 3, None, "wine"),
        ("an hour ago", 1, None, ""),
        ("since 14:00", 22.5, None, ""),
        ("since 2 pm", 22.5, None, ""),
        ("since 11", 1.5, None, ""),
        ("since midnight", 12.5, None, ""),
        ("since noon", 0.5, None, ""),
        ("since yesterday", 36.5, None, ""),
        ("what happened last night", 18.5, None, "what happened"),
        ("this week", 108.5, None, ""),
        ("wine today", None, "today", "wine"),
        ("yesterday's news", None, "yesterday", "news"),
        ("wine on 2008-04-27", None, "2008-04-27", "wine"),
        ("wine lately", None, None, "wine"),
        ("since 77:99 wine", None, None, "wine"),
        ("at last wine", None, None, "at last wine"),
    ],
)
def test_time_is_read_out_of_a_sentence(
    text: str, hours: float | None, day: str | None, rest: str
) -> None:
    found, left = when.read(text, NOW)
    assert (found.hours, found.day, left) == (hours, day, rest)


def test_a_period_is_a_day_or_the_hours_before_now() -> None:
    assert period(None, "yesterday", NOW).since == datetime(2026, 11, 19, tzinfo=UTC)
    assert period(None, "yesterday", NOW).until == datetime(2026, 11, 20, tzinfo=UTC)
    assert period(2, None, NOW).since == NOW - timedelta(hours=2)
    assert period(None, None, NOW).is_open
    assert period(3.25, None, NOW).words == " since 09:15"
    assert period(0.5, None, NOW).words == " in the last 30 minutes"


@pytest.mark.parametrize(
    ("hours", "day"), [(0, None), (-1, None), (1e9, None), (None, "someday"), (None, "2008-13-01")]
)
def test_a_period_that_is_none_is_refused_in_words(hours: float | None, day: str | None) -> None:
    with pytest.raises(BadArguments, match="must be"):
        period(hours, day, NOW)


def test_times_carry_their_date_only_when_it_is_not_today() -> None:
    assert clock(NOW, NOW) == "12:30"
    assert clock(NOW - timedelta(days=1), NOW) == "2026-11-19 12:30"
    assert ago(NOW - timedelta(minutes=5), NOW) == "5 minutes ago"
    assert ago(NOW - timedelta(days=1), NOW) == "1 day ago"
    assert ago(NOW, NOW) == "just now"
