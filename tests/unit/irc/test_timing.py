"""Backoff and watchdog: both with a clock that the test moves."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from bots.irc.backoff import delay_s
from bots.irc.watchdog import Verdict, Watchdog


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
