"""How often a caller may come: a token bucket each, pure.

A caller begins with a full bucket of `burst`, and gets `per_minute` back a minute. Memory is
bounded: beyond `most` callers the one that came least recently is forgotten, whose bucket is the
likeliest to be full again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    #: 0: let in; otherwise seconds until it is worth trying again
    wait_s: float
    #: the first one that is turned away since the last that was let in
    is_first: bool = False


@dataclass
class _Bucket:
    tokens: float
    at_s: float
    was_refused: bool = False


class RateLimit:
    def __init__(self, *, per_minute: float, burst: int, most: int = 4_096) -> None:
        self._per_s = per_minute / 60
        self._burst = float(burst)
        self._most = most
        self._buckets: OrderedDict[Hashable, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, caller: Hashable, now_s: float) -> Verdict:
        """Let `caller` in, or say when; `now_s` is a clock that never goes back."""
        bucket = self._buckets.pop(caller, None) or _Bucket(self._burst, now_s)
        self._buckets[caller] = bucket
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        elapsed_s = max(0.0, now_s - bucket.at_s)
        bucket.tokens = min(self._burst, bucket.tokens + elapsed_s * self._per_s)
        bucket.at_s = now_s
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            bucket.was_refused = False
            return Verdict(0.0)
        first, bucket.was_refused = not bucket.was_refused, True
        return Verdict((1 - bucket.tokens) / self._per_s, is_first=first)
