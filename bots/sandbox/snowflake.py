"""Ids as Discord makes them: milliseconds since 2015 in the high bits, sorted by time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

#: the first second of 2015, in milliseconds (Discord's documentation, "Snowflakes")
EPOCH_MS = 1_420_070_400_000
#: the low bits that tell ids of one millisecond apart
LOW_BITS = 22
#: named things seem to be made within this span, which ends long before any message is
_NAMED_FROM_MS = 1_700_000_000_000 - EPOCH_MS
_NAMED_SPAN_MS = 30 * 24 * 3_600 * 1_000


def named(kind: str, name: str) -> int:
    """The id of a configured thing: the same after every restart."""
    digest = int.from_bytes(hashlib.sha256(f"{kind}\0{name}".encode()).digest()[:8], "big")
    millisecond = _NAMED_FROM_MS + (digest >> LOW_BITS) % _NAMED_SPAN_MS
    return millisecond << LOW_BITS | digest & (1 << LOW_BITS) - 1


def created_at(snowflake: int) -> datetime:
    """The moment that an id carries, aware UTC."""
    milliseconds = (snowflake >> LOW_BITS) + EPOCH_MS
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


class Snowflakes:
    """Ids of new things, always increasing, whatever the clock does."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        milliseconds = int(self._clock().timestamp() * 1_000) - EPOCH_MS
        self._last = max(self._last + 1, milliseconds << LOW_BITS)
        return self._last
