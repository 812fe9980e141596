"""Pacing, backoff and watchdog: all with a clock that the test moves."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.irc.backoff import delay_s
from bots.irc.pacing import TokenBucket
from bots.irc.watchdog import Verdict, Watchdog


@given(
    st.integers(1, 10),
    st.floats(0.1, 20),
    st.lists(st.floats(0, 5), min_size=1, max_size=60),
    st.floats(0.1, 10),
)
def test_no_window_holds_more_than_the_burst_and_the_rate_allow(
    burst: int, per_s: float, pauses: list[float], window_s: float
) -> None:
    bucket = TokenBucket(burst, per_s, now_s=0.0)
    now_s, due = 0.0, []
    for pause_s in pauses:
        now_s += pause_s
        due.append(now_s + bucket.reserve(now_s))
    for begin_s in due:
        inside = [at for at in due if begin_s <= at < begin_s + window_s]
        assert len(inside) <= burst + per_s * window_s + 1e-6


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    bucket = TokenBucket(2, 4.0, now_s=0.0)
    assert [bucket.reserve(0.0) for _ in range(4)] == [0.0, 0.0, 0.25, 0.5]


def test_try_take_never_goes_into_debt() -> None:
    bucket = TokenBucket(1, 1.0, now_s=0.0)
    assert [bucket.try_take(0.0), bucket.try_take(0.5), bucket.try_take(1.0)] == [True, False, True]


def test_a_clock_that_goes_back_gives_no_tokens() -> None:
    bucket = TokenBucket(1, 1.0, now_s=10.0)
    assert bucket.try_take(10.0)
    assert not bucket.try_take(0.0)
    assert not bucket.try_take(10.5)


@pytest.mark.parametrize(("burst", "per_s"), [(0, 1.0), (1, 0.0)])
def test_a_bucket_that_lets_nothing_through_is_refused(burst: int, per_s: float) -> None:
    with pytest.raises(ValueError, match="bucket"):
        TokenBucket(burst, per_s, now_s=0.0)


@given(st.integers(0, 10_000), st.integers())
def test_backoff_doubles_up_to_its_cap_and_scatters(attempt: int, seed: int) -> None:
    wait_s = delay_s(attempt, first_s=1.0, most_s=60.0, rng=random.Random(seed))
    whole_s = min(60.0, 2.0 ** min(attempt, 10))
    assert whole_s / 2 <= wait_s <= whole_s


def test_silence_is_asked_about_once_and_then_deaf() -> None:
    watchdog = Watchdog(60.0, 30.0, now_s=0.0)
    assert watchdog.look(59.0) == (Verdict.FINE, 60.0)
    assert watchdog.look(60.0) == (Verdict.ASK, 90.0)
    assert watchdog.look(89.0) == (Verdict.FINE, 90.0)
    assert watchdog.look(90.0)[0] is Verdict.DEAF


def test_any_line_ends_the_suspicion() -> None:
    watchdog = Watchdog(60.0, 30.0, now_s=0.0)
    watchdog.look(60.0)
    watchdog.heard(80.0)
    assert watchdog.look(90.0) == (Verdict.FINE, 140.0)
