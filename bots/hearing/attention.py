"""How long this process did not look at its sockets: what it reads then may have come long before.

A process that was stopped, or starved of its processor, reads late and cannot tell when a line
came. It can tell since when it may have been there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

#: each look wakes the process
TICK_S: Final = 0.35
#: a gap between two looks that no ordinary load explains; lines that are apart by less than
#: `storage.alignment.SOON` are taken for one without it
BLIND_S: Final = 2 * TICK_S


class Attention:
    """`run` looks at the clock again and again; a look that comes late tells of a gap."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._looked_s = now_s()
        self._blind_since_s: float | None = None

    async def run(self) -> None:
        """Look for ever, until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            self.look()

    def look(self) -> None:
        now_s = self._now_s()
        gap_s = now_s - self._looked_s
        # What waited in the socket may take more than one read: the gap counts until the next look.
        self._blind_since_s = self._looked_s if gap_s > BLIND_S else None
        self._looked_s = now_s

    def lag_s(self) -> float:
        """A line read now may have come so many seconds ago; 0 where nothing was missed."""
        now_s = self._now_s()
        if now_s - self._looked_s > BLIND_S:
            return now_s - self._looked_s
        return 0.0 if self._blind_since_s is None else now_s - self._blind_since_s
