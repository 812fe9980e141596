"""When it is quiet: across midnight, in any time zone, on the days when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bots.events.quiet import QuietError, QuietHours

ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati")
_BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
MOMENT = st.integers(0, 15 * 366 * 24 * 3600).map(lambda s: _BEGIN + timedelta(seconds=s))
WALL = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@given(WALL, WALL, st.sampled_from(ZONES), MOMENT)
def test_every_moment_is_in_a_span_or_in_the_one_that_is_left_of_the_day(
    begin: time, end: time, zone: str, at: datetime
) -> None:
    assume(begin != end)
    night, day = QuietHours(begin, end, zone), QuietHours(end, begin, zone)
    assert night.holds(at) is not day.holds(at)


@given(WALL, WALL, st.sampled_from(ZONES), MOMENT)
def test_only_the_clock_on_the_wall_counts(begin: time, end: time, zone: str, at: datetime) -> None:
    quiet = QuietHours(begin, end, zone)
    wall = at.astimezone(ZoneInfo(zone))
    minutes = (wall.hour * 60 + wall.minute - begin.hour * 60 - begin.minute) % 1440
    length = (end.hour * 60 + end.minute - begin.hour * 60 - begin.minute) % 1440
    assert quiet.holds(at) is (minutes < length)
    # However the moment itself is written.
    assert quiet.holds(at.astimezone(ZoneInfo("Asia/Tokyo"))) is quiet.holds(at)


@given(WALL, st.sampled_from(ZONES), MOMENT)
def test_a_span_without_length_is_never_quiet(begin: time, zone: str, at: datetime) -> None:
    assert not QuietHours(begin, begin, zone).holds(at)


@given(WALL, WALL, st.sampled_from(ZONES))
def test_what_is_kept_is_read_as_the_same(begin: time, end: time, zone: str) -> None:
    quiet = QuietHours(begin, end, zone)
    assert QuietHours.of_row(f"{begin:%H:%M}", f"{end:%H:%M}", zone) == quiet
    assert QuietHours.parse(*str(quiet).split(" ")) == quiet


def test_night_in_berlin_when_the_clocks_change() -> None:
    quiet = QuietHours.parse("22:00-07:00", "Europe/Berlin")
    # In the night to 25 October 2026 Berlin goes from UTC+2 to UTC+1.
    assert not quiet.holds(datetime(2026, 10, 24, 19, 59, tzinfo=UTC))
    assert quiet.holds(datetime(2026, 10, 24, 20, 0, tzinfo=UTC))
    assert quiet.holds(datetime(2026, 10, 25, 5, 59, tzinfo=UTC))
    assert not quiet.holds(datetime(2026, 10, 25, 6, 0, tzinfo=UTC))
    assert quiet.holds(datetime(2026, 10, 25, 21, 0, tzinfo=UTC))


def test_it_ends_once_a_day() -> None:
    quiet = QuietHours.parse("23:30-06:15", "Asia/Kathmandu")
    begin = datetime(2026, 11, 20, tzinfo=UTC)
    day = [quiet.holds(begin + timedelta(minutes=m)) for m in range(1440)]
    assert sum(day) == 6 * 60 + 45
    assert (
        sum(before and not after for before, after in zip(day, [*day[1:], day[0]], strict=True))
        == 1
    )


@pytest.mark.parametrize(
    ("span", "zone"),
    [("22-7", ""), ("24:00-07:00", ""), ("22:00-07:60", ""), ("22:00-07:00", "Berlin"), ("", "")],
)
def test_what_is_no_span_is_refused_in_words(span: str, zone: str) -> None:
    with pytest.raises(QuietError, match=r"write"):
        QuietHours.parse(span, zone)


def test_a_zone_that_this_machine_does_not_know_counts_as_utc() -> None:
    quiet = QuietHours.of_row("22:00", "07:00", "Mars/Olympus")
    assert quiet is not None
    assert quiet.holds(datetime(2026, 11, 20, 22, 0, tzinfo=UTC))
