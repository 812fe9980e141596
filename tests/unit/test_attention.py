"""What a process knows of the time in which it did not look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from bots.hearing.attention import BLIND_S, TICK_S, Attention
from storage.alignment import SOON


@dataclass
class Clock:
    at_s: float = 100.0

    def __call__(self) -> float:
        return self.at_s


def test_who_looks_all_the_time_reads_at_once() -> None:
    clock = Clock()
    attention = Attention(clock)
    for _ in range(5):
        clock.at_s += TICK_S
        attention.look()
    clock.at_s += TICK_S / 2
    assert attention.lag_s() == 0


def test_what_is_read_after_a_gap_may_have_come_within_it() -> None:
    clock = Clock()
    attention = Attention(clock)
    clock.at_s += 3
    assert attention.lag_s() == pytest.approx(3)
    attention.look()
    # The rest of what waited in the socket.
    clock.at_s += TICK_S / 2
    assert attention.lag_s() == pytest.approx(3 + TICK_S / 2)
    clock.at_s += TICK_S / 2
    attention.look()
    assert attention.lag_s() == 0
    assert TICK_S < BLIND_S


def test_no_stop_falls_between_what_is_noticed_and_what_is_allowed_for() -> None:
    assert timedelta(seconds=BLIND_S) <= SOON
