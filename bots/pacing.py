"""A token bucket: so much at once, so much a second after that. Time is passed in."""

from __future__ import annotations


class TokenBucket:
    """`burst` tokens at the start, `per_s` more each second, never more than `burst`."""

    def __init__(self, burst: int, per_s: float, *, now_s: float) -> None:
        if burst < 1 or per_s <= 0:
            raise ValueError("a bucket needs a burst of at least 1 and a rate above 0")
        self._burst = burst
        self._per_s = per_s
        self._tokens = float(burst)
        self._at_s = now_s

    def reserve(self, now_s: float) -> float:
        """Take the next token and return in how many seconds it may be used (0 = now)."""
        self._refill(now_s)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._per_s)

    def try_take(self, now_s: float) -> bool:
        """Take a token if one is there now."""
        self._refill(now_s)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def wait_s(self, now_s: float) -> float:
        """In how many seconds `try_take` would get one (0 = now); takes nothing."""
        self._refill(now_s)
        return max(0.0, (1 - self._tokens) / self._per_s)

    def _refill(self, now_s: float) -> None:
        passed_s = max(0.0, now_s - self._at_s)
        self._tokens = min(float(self._burst), self._tokens + passed_s * self._per_s)
        self._at_s = max(self._at_s, now_s)
