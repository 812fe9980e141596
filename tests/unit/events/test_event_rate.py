"""No receiver is told more than a hundred events in any minute."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bots.events.dispatcher import PER_MINUTE, event_rate

STEP_S = st.floats(0, 20, allow_nan=False)


@given(st.lists(st.tuples(STEP_S, st.integers(1, 60)), min_size=1, max_size=60))
def test_in_no_minute_more_than_a_hundred(tries: list[tuple[float, int]]) -> None:
    rate, now_s, told_s = event_rate(), 0.0, []
    for step_s, wanted in tries:
        now_s += step_s
        told_s += [now_s for _ in range(wanted) if not rate.take("alice", now_s).wait_s]
    for begin_s in told_s:
        assert sum(begin_s <= at_s < begin_s + 60 for at_s in told_s) <= PER_MINUTE


def test_one_receiver_does_not_use_up_anothers() -> None:
    rate = event_rate()
    while not rate.take("alice", 0.0).wait_s:
        pass
    assert not rate.take("bob", 0.0).wait_s


def test_who_is_told_steadily_gets_the_hundred_in_the_end() -> None:
    rate = event_rate()
    told = sum(not rate.take("alice", s / 10).wait_s for s in range(6_000))
    assert told >= 10 * 80
