"""How often a caller may come: a `bots.pacing.TokenBucket` each, pure.

A caller begins with a full bucket of `burst`, and gets `per_minute` back a minute. Memory is
bounded: beyond `most` callers the one that came least recently is forgotten, whose bucket is the
likeliest to be full again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from bots.pacing import TokenBucket


@dataclass(frozen=True)
class Verdict:
    #: 0: let in; otherwise seconds until it is worth trying again
    wait_s: float
    #: the first one that is turned away since the last that was let in
    is_first: bool = False


@dataclass
class _Caller:
    bucket: TokenBucket
    was_refused: bool = False


class RateLimit:
    def __init__(self, *, per_minute: float, burst: int, most: int = 4_096) -> None:
        self._per_s = per_minute / 60
        self._burst = burst
        self._most = most
        self._callers: OrderedDict[Hashable, _Caller] = OrderedDict()

    def __len__(self) -> int:
        return len(self._callers)

    def take(self, caller: Hashable, now_s: float) -> Verdict:
        """Let `caller` in, or say when; `now_s` is a clock that never goes back."""
        known = self._callers.pop(caller, None)
        if known is None:
            known = _Caller(TokenBucket(self._burst, self._per_s, now_s=now_s))
        self._callers[caller] = known
        if len(self._callers) > self._most:
            self._callers.popitem(last=False)
        if known.bucket.try_take(now_s):
            known.was_refused = False
            return Verdict(0.0)
        first, known.was_refused = not known.was_refused, True
        return Verdict(known.bucket.wait_s(now_s), is_first=first)
