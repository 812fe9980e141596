"""How often somebody may guess the login token. Pure: time passed in."""

from __future__ import annotations

from collections import deque

MOST = 5
WINDOW_S = 60.0


class Attempts:
    """Counts failures of everybody together: on loopback all come from one address."""

    def __init__(self) -> None:
        self._failed_at_s: deque[float] = deque()

    def wait_s(self, now_s: float) -> float:
        """How long until the next try, 0 for at once."""
        while self._failed_at_s and self._failed_at_s[0] <= now_s - WINDOW_S:
            self._failed_at_s.popleft()
        if len(self._failed_at_s) < MOST:
            return 0.0
        return self._failed_at_s[0] + WINDOW_S - now_s

    def failed(self, now_s: float) -> None:
        self._failed_at_s.append(now_s)
