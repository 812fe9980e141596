"""How often a caller may come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bots.hooks.rate import RateLimit

STEPS = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(min_value=0, max_value=30)), max_size=200
)


@given(STEPS, st.integers(1, 5), st.floats(min_value=0.5, max_value=120))
def test_nobody_gets_more_than_a_burst_and_what_comes_back(
    steps: list[tuple[str, float]], burst: int, per_minute: float
) -> None:
    limit, now_s, passed = (
        RateLimit(per_minute=per_minute, burst=burst),
        0.0,
        dict.fromkeys("abc", 0),
    )
    for caller, pause_s in steps:
        now_s += pause_s
        passed[caller] += not limit.take(caller, now_s).wait_s
        assert passed[caller] <= burst + now_s * per_minute / 60 + 1e-6


@given(STEPS, st.integers(1, 5), st.floats(min_value=0.5, max_value=120))
def test_who_waits_as_long_as_told_is_let_in(
    steps: list[tuple[str, float]], burst: int, per_minute: float
) -> None:
    limit, now_s = RateLimit(per_minute=per_minute, burst=burst), 0.0
    for caller, pause_s in steps:
        now_s += pause_s
        verdict = limit.take(caller, now_s)
        if verdict.wait_s:
            now_s += verdict.wait_s + 1e-6
            assert not limit.take(caller, now_s).wait_s


@given(st.lists(st.integers(0, 1_000), max_size=300), st.integers(1, 20))
def test_memory_is_bounded(callers: list[int], most: int) -> None:
    limit = RateLimit(per_minute=60, burst=1, most=most)
    for number, caller in enumerate(callers):
        limit.take(caller, float(number))
        assert len(limit) <= most


def test_only_the_first_refusal_in_a_row_is_the_first() -> None:
    limit = RateLimit(per_minute=60, burst=1)
    assert not limit.take("a", 0).wait_s
    assert limit.take("a", 0).is_first
    assert not limit.take("a", 0).is_first
    assert not limit.take("a", 1).wait_s
    assert limit.take("a", 1).is_first


def test_a_clock_that_stands_still_gives_nothing() -> None:
    limit = RateLimit(per_minute=60, burst=2)
    assert [bool(limit.take("a", 5).wait_s) for _ in range(4)] == [False, False, True, True]
    assert limit.take("a", 5).wait_s == 1.0
