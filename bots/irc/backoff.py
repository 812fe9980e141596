"""How long to wait before the next try: doubling, capped, with jitter so that a swarm scatters."""

from __future__ import annotations

import random

_MOST_DOUBLINGS = 30


def delay_s(attempt: int, *, first_s: float, most_s: float, rng: random.Random) -> float:
    """Seconds before retry number `attempt` (from 0): half to all of the doubled pause."""
    whole_s = min(most_s, first_s * 2.0 ** min(attempt, _MOST_DOUBLINGS))
    return whole_s * rng.uniform(0.5, 1.0)
