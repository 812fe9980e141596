from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bots.sandbox.limits import Limiter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def limiter(clock: Clock, **limits: float | bool) -> Limiter:
    return Limiter(limits, monotonic=clock, wall=lambda: clock.now + 1_000)


def test_the_sixth_message_in_a_channel_waits_for_the_window_to_end() -> None:
    clock = Clock()
    limits = limiter(clock)
    verdicts = [limits.take("captain", "messages", "lobby") for _ in range(6)]
    assert [v.allowed for v in verdicts if v] == [True] * 5 + [False]
    assert [v.remaining for v in verdicts if v] == [4, 3, 2, 1, 0, 0]
    refused = verdicts[-1]
    assert refused is not None
    assert refused.body() == {
        "message": "You are being rate limited.",
        "retry_after": 5.0,
        "global": False,
    }
    headers = refused.headers()
    assert headers["Via"]
    assert headers["X-RateLimit-Scope"] == "user"
    assert float(headers["X-RateLimit-Reset"]) == 1_105.0
    clock.now += 5.0
    again = limits.take("captain", "messages", "lobby")
    assert again
    assert again.allowed


def test_every_caller_and_every_channel_has_its_own_bucket() -> None:
    limits = limiter(Clock())
    for caller in ("captain", "rook"):
        for channel in ("lobby", "market"):
            for _ in range(5):
                verdict = limits.take(caller, "messages", channel)
                assert verdict
                assert verdict.allowed


def test_fifty_requests_a_second_are_the_most_over_all_channels() -> None:
    clock = Clock()
    limits = limiter(clock)
    for n in range(50):
        verdict = limits.take("captain", "messages", str(n))
        assert verdict
        assert verdict.allowed
    over = limits.take("captain", "messages", "one more")
    assert over
    assert over.body()["global"] is True
    assert over.headers()["X-RateLimit-Global"] == "true"
    callback = limits.take("captain", "callbacks", "x", counts_globally=False)
    assert callback
    assert callback.allowed
    clock.now += 1.0
    later = limits.take("captain", "messages", "one more")
    assert later
    assert later.allowed


def test_limits_are_configured_and_switched_off() -> None:
    clock = Clock()
    assert limiter(clock, enabled=False).take("captain", "messages") is None
    two = limiter(clock, messages=2, messages_per_s=60.0)
    verdicts = [two.take("captain", "messages") for _ in range(3)]
    assert [v.allowed for v in verdicts if v] == [True, True, False]
    assert verdicts[-1]
    assert verdicts[-1].reset_after_s == 60.0


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 3)), max_size=80))
def test_no_window_ever_lets_more_than_its_limit_pass(asks: list[tuple[str, float]]) -> None:
    clock, passed = Clock(), []
    limits = limiter(clock, requests_per_s=1_000)
    for channel, pause in asks:
        clock.now += pause
        verdict = limits.take("captain", "messages", channel)
        assert verdict
        if verdict.allowed:
            passed.append((channel, clock.now, verdict.reset_after_s))
    for channel, at, left in passed:
        inside = [p for p in passed if p[0] == channel and at - (5.0 - left) <= p[1] < at + left]
        assert len(inside) <= 5
