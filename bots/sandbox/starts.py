"""How many gateway sessions a bot may still begin today.

Discord's documentation, "Gateway", "Session Start Limit Object": 1,000 IDENTIFYs in 24 hours;
who goes over it loses the token. RESUME costs nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

_DAY_S = 86_400.0


class SessionStarts:
    """Counts IDENTIFYs by user id. `clock` gives monotonic seconds."""

    def __init__(self, *, per_day: int, pause_s: float, clock: Callable[[], float]) -> None:
        self.per_day = per_day
        self._pause_s = pause_s
        self._clock = clock
        self._taken: dict[int, deque[float]] = {}

    def take(self, user_id: int) -> bool:
        """Count one start; False when the day's starts are used up."""
        if self.remaining(user_id) == 0:
            return False
        self._taken.setdefault(user_id, deque()).append(self._clock())
        return True

    def too_soon(self, user_id: int) -> bool:
        """Whether the last start was less than the least pause ago."""
        taken = self._taken.get(user_id, deque())
        return bool(taken) and self._clock() - taken[-1] < self._pause_s

    def remaining(self, user_id: int) -> int:
        taken = self._taken.get(user_id, deque())
        while taken and taken[0] <= self._clock() - _DAY_S:
            taken.popleft()
        return self.per_day - len(taken)

    def limit(self, user_id: int) -> dict[str, int]:
        """The session start limit object of GET gateway/bot; ``reset_after`` in milliseconds."""
        taken = self._taken.get(user_id)
        remaining = self.remaining(user_id)
        reset_after_s = max(0.0, taken[0] + _DAY_S - self._clock()) if taken else 0.0
        return {
            "total": self.per_day,
            "remaining": remaining,
            "reset_after": int(reset_after_s * 1000),
            "max_concurrency": 1,
        }
