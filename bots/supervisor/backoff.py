"""When to start a crashed child again, and when to give up. Pure: times and a random source in,
delays out.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field


@dataclass
class Backoff:
    """Exponential delays with full jitter; too many crashes in a window end the trying."""

    crashes: int
    window_s: float
    rng: random.Random
    first_s: float = 0.2
    longest_s: float = 10.0
    _times: deque[float] = field(default_factory=deque)

    def crashed(self, now_s: float) -> float | None:
        """Seconds to wait before the next start; None to give up."""
        self._times.append(now_s)
        while self._times[0] <= now_s - self.window_s:
            self._times.popleft()
        n = len(self._times)
        if n > self.crashes:
            return None
        if n == 1:
            return 0.0
        ceiling = min(self.longest_s, self.first_s * 2.0 ** (n - 1))
        return self.rng.uniform(ceiling / 2, ceiling)

    def forget(self) -> None:
        """Start counting anew: a person asked for a restart."""
        self._times.clear()
