"""When to try again and when to give up: the heartbeat's breaker and the backoff of crashes."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from bots.agent.beats import Breaker
from bots.supervisor.backoff import Backoff


def test_the_breaker_trips_after_three_failures_in_a_row_and_recovers_after_its_pause() -> None:
    breaker = Breaker()
    for at_s in (0.0, 30.0):
        breaker.failed(at_s)
        assert breaker.allows(at_s)
    breaker.failed(60.0)
    assert not breaker.allows(60.0)
    assert not breaker.allows(119.9)
    assert breaker.allows(120.0)
    # It begins to count anew.
    breaker.failed(120.0)
    assert breaker.allows(120.0)


def test_a_success_between_failures_keeps_the_breaker_closed() -> None:
    breaker = Breaker()
    for at_s in range(10):
        breaker.failed(at_s)
        assert breaker.allows(at_s)
        breaker.succeeded()


def backoff(crashes: int = 3, window_s: float = 60.0) -> Backoff:
    return Backoff(crashes, window_s, random.Random(7))


def test_the_first_crash_costs_no_time_and_too_many_end_the_trying() -> None:
    crashes = backoff()
    delays = [crashes.crashed(now_s) for now_s in (0.0, 1.0, 2.0, 3.0)]
    assert delays[0] == 0
    assert delays[3] is None


def test_crashes_outside_the_window_are_forgotten_and_a_person_forgives_all() -> None:
    crashes = backoff()
    assert all(crashes.crashed(61.0 * n) == 0 for n in range(20))
    for now_s in (5000.0, 5001.0, 5002.0):
        crashes.crashed(now_s)
    crashes.forget()
    assert crashes.crashed(5003.0) == 0


@given(st.integers(2, 30), st.integers(0, 2**32))
def test_delays_grow_with_jitter_up_to_the_longest(number: int, seed: int) -> None:
    crashes = Backoff(100, 60.0, random.Random(seed))
    delays = [crashes.crashed(0.0) for _ in range(number)]
    for n, delay in enumerate(delays[1:], 2):
        ceiling = min(crashes.longest_s, crashes.first_s * 2 ** (n - 1))
        assert delay is not None
        assert ceiling / 2 <= delay <= ceiling
