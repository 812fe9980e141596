"""A token bucket, with a clock that the test moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.pacing import TokenBucket


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


@given(st.integers(1, 5), st.floats(0.1, 20), st.lists(st.floats(0, 5), max_size=60))
def test_who_waits_as_long_as_the_bucket_says_gets_a_token(
    burst: int, per_s: float, pauses: list[float]
) -> None:
    bucket, now_s = TokenBucket(burst, per_s, now_s=0.0), 0.0
    for pause_s in pauses:
        now_s += pause_s
        wait_s = bucket.wait_s(now_s)
        assert bucket.try_take(now_s) is (wait_s == 0)
        if wait_s:
            now_s += wait_s + 1e-6
            assert bucket.try_take(now_s)


def test_a_bucket_in_debt_says_when_it_has_a_token_again() -> None:
    bucket = TokenBucket(1, 2.0, now_s=0.0)
    assert bucket.wait_s(0.0) == 0.0
    for _ in range(3):
        bucket.reserve(0.0)
    assert [bucket.wait_s(0.0), bucket.wait_s(1.0), bucket.wait_s(2.0)] == [1.5, 0.5, 0.0]
