"""Rate limits as Discord's headers tell them: a bucket a caller, route and major parameter.

Source: Discord's documentation, "Rate Limits". Discord publishes no table of limits; the sizes
here are what its headers commonly showed in public reports.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: bucket → (requests, window in seconds)
BUCKETS: dict[str, tuple[int, float]] = {
    "messages": (5, 5.0),
    "edits": (5, 5.0),
    "deletes": (5, 1.0),
    "bulk_deletes": (1, 3.0),
    "history": (5, 1.0),
    "reactions": (1, 0.25),
    "typing": (5, 5.0),
    "threads": (50, 300.0),
    "channels": (50, 60.0),
    "commands": (5, 20.0),
    "webhooks": (5, 2.0),
    "callbacks": (5, 1.0),
    "avatar": (2, 300.0),
    "dms": (10, 10.0),
    "other": (50, 1.0),
}
#: what the configuration may set; `Limiter` says what it means
SETTINGS = frozenset(
    {"enabled", "requests_per_s", *BUCKETS, *(f"{bucket}_per_s" for bucket in BUCKETS)}
)
#: forgotten windows are swept once so many are kept
_SWEEP_AT = 10_000


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a request may pass, and what its headers say."""

    allowed: bool
    limit: int
    remaining: int
    #: seconds until the window is new
    reset_after_s: float
    #: the wall clock at that moment, Unix seconds
    reset_at: float
    bucket: str
    #: ``user`` or ``global``
    scope: str

    def headers(self) -> dict[str, str]:
        told = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{self.reset_at:.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after_s:.3f}",
            "X-RateLimit-Bucket": self.bucket,
        }
        if self.allowed:
            return told
        if self.scope == "global":
            # the global limit says nothing of the bucket
            told = {"X-RateLimit-Global": "true"}
        # Discord's proxy names itself on 429; clients take one without `Via` for a ban
        return told | {
            "X-RateLimit-Scope": self.scope,
            "Retry-After": str(max(1, round(self.reset_after_s + 0.5))),
            "Via": "1.1 sandbox",
        }

    def body(self) -> dict[str, object]:
        return {
            "message": "You are being rate limited.",
            "retry_after": round(self.reset_after_s, 3),
            "global": self.scope == "global",
        }


class Limiter:
    """Counts requests in fixed windows that begin with their first request.

    `limits` (the configuration's): ``enabled`` false switches all off; ``requests_per_s`` is the
    global limit; ``<bucket>`` and ``<bucket>_per_s`` replace a bucket's requests and window.
    """

    def __init__(
        self,
        limits: Mapping[str, float | bool] | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        limits = limits or {}
        self._enabled = bool(limits.get("enabled", True))
        self._global = int(limits.get("requests_per_s", 50))
        self._buckets = {
            name: (
                int(limits.get(name, requests)),
                float(limits.get(f"{name}_per_s", window_s)),
            )
            for name, (requests, window_s) in BUCKETS.items()
        }
        self._monotonic = monotonic
        self._wall = wall
        #: (caller, bucket, major parameter) → (end of the window, requests in it)
        self._windows: dict[tuple[str, str, str], tuple[float, int]] = {}

    def take(
        self, caller: str, bucket: str, major: str = "", *, counts_globally: bool = True
    ) -> Verdict | None:
        """Count one request; None when limits are switched off.

        A refused request is not counted.
        """
        if not self._enabled:
            return None
        if counts_globally and not self._fits((caller, "", ""), self._global):
            return self._verdict((caller, "", ""), self._global, scope="global", allowed=False)
        key = (caller, bucket, major)
        limit, window_s = self._buckets[bucket]
        if not self._fits(key, limit):
            return self._verdict(key, limit, scope="user", allowed=False)
        if counts_globally:
            self._count((caller, "", ""), 1.0)
        self._count(key, window_s)
        return self._verdict(key, limit, scope="user", allowed=True)

    def _fits(self, key: tuple[str, str, str], limit: int) -> bool:
        end, used = self._windows.get(key, (0.0, 0))
        return self._monotonic() >= end or used < limit

    def _count(self, key: tuple[str, str, str], window_s: float) -> None:
        now = self._monotonic()
        end, used = self._windows.get(key, (0.0, 0))
        self._windows[key] = (now + window_s, 1) if now >= end else (end, used + 1)
        if len(self._windows) > _SWEEP_AT:
            self._windows = {k: w for k, w in self._windows.items() if w[0] > now}

    def _verdict(
        self, key: tuple[str, str, str], limit: int, *, scope: str, allowed: bool
    ) -> Verdict:
        end, used = self._windows[key]
        reset_after_s = max(0.0, end - self._monotonic())
        return Verdict(
            allowed=allowed,
            limit=limit,
            remaining=max(0, limit - used),
            reset_after_s=reset_after_s,
            reset_at=self._wall() + reset_after_s,
            bucket=hashlib.sha256(key[1].encode()).hexdigest()[:32],
            scope=scope,
        )
