"""How often this bot has identified within a day, kept across restarts.

Discord allows 1,000 IDENTIFYs within 24 hours and then resets the token; nobody tells a bot without
shards how many are left (https://discord.com/developers/docs/events/gateway, session start limits).
A RESUME costs nothing.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import datetime, timedelta
from pathlib import Path

from bots.state import write_private

DAY = timedelta(days=1)


class IdentifyBudget:
    """At most `most` IDENTIFYs in any 24 hours, counted in `file`."""

    def __init__(self, file: Path, most: int) -> None:
        self._file = file
        self._most = most
        self._spent: deque[float] | None = None

    def wait_s(self, now: datetime) -> float:
        """Seconds until one more is allowed; 0 when it is allowed now."""
        spent = self._known(now)
        if len(spent) < self._most:
            return 0.0
        oldest = spent[len(spent) - self._most]
        return max(0.0, oldest + DAY.total_seconds() - now.timestamp())

    def spend(self, now: datetime) -> None:
        """Count one, before it is sent; `OSError` when it cannot be written down (it counts for
        this process all the same).
        """
        spent = self._known(now)
        spent.append(now.timestamp())
        write_private(self._file, json.dumps([round(at, 3) for at in spent]))

    def _known(self, now: datetime) -> deque[float]:
        if self._spent is None:
            self._spent = deque(_read(self._file, now.timestamp()))
        begin = now.timestamp() - DAY.total_seconds()
        while self._spent and self._spent[0] <= begin:
            self._spent.popleft()
        return self._spent


def _read(file: Path, now_s: float) -> list[float]:
    try:
        found = json.loads(file.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return []
    if not isinstance(found, list):
        return []
    # A clock that was set back since must not stretch the day.
    return sorted(min(float(at), now_s) for at in found if isinstance(at, int | float))
