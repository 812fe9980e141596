"""A log keeps its own pace, times a factor."""

from __future__ import annotations

from bots.replay.pace import due_s
from bots.replay.parse import parse

EVENTS = parse(
    ["[10:00] <a> 1", "[10:00] <a> 2", "[10:01] <a> 3", "[11:00] <a> 4"],
).events


def test_lines_of_one_minute_spread_over_it() -> None:
    assert due_s(EVENTS, 1.0) == [0.0, 30.0, 60.0, 3600.0]


def test_faster() -> None:
    assert due_s(EVENTS, 60.0) == [0.0, 0.5, 1.0, 60.0]


def test_at_full_speed_everything_is_due_at_once() -> None:
    assert due_s(EVENTS, None) == [0.0] * 4
    assert due_s((), 2.0) == []
