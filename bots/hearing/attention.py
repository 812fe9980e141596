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


def _nothing() -> None:
    return None


class Attention:
    """`run` looks at the clock again and again; a look that comes late tells of a gap.

    An idle process does little else, so what must be done every second is done at a look, and what
    wakes the process anyway is one: it calls `look`, and the next one by itself is a tick later.
    """

    def __init__(
        self,
        now_s: Callable[[], float] = time.monotonic,
        *,
        each: Callable[[], object] = _nothing,
    ) -> None:
        """`each` is called at every look; what it raises ends `run`."""
        self._now_s = now_s
        self._each = each
        self._looked_s = now_s()
        self._blind_since_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        #: what `run` waits for; None before it
        self._failed: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Look for ever, until cancelled."""
        self._failed = asyncio.get_running_loop().create_future()
        self._rest()
        try:
            await self._failed
        finally:
            self._failed.cancel()

    def look(self) -> None:
        now_s = self._now_s()
        gap_s = now_s - self._looked_s
        # What waited in the socket may take more than one read: the gap counts until the next look.
        self._blind_since_s = self._looked_s if gap_s > BLIND_S else None
        self._looked_s = now_s
        self._rest()
        self._each()

    def lag_s(self) -> float:
        """A line read now may have come so many seconds ago; 0 where nothing was missed."""
        now_s = self._now_s()
        if now_s - self._looked_s > BLIND_S:
            return now_s - self._looked_s
        return 0.0 if self._blind_since_s is None else now_s - self._blind_since_s

    def _rest(self) -> None:
        """The next look by itself is a tick away, while it runs."""
        if self._timer is not None:
            self._timer.cancel()
        if self._failed is not None and not self._failed.done():
            # A timer, not a task that sleeps: that would take two turns of the loop.
            self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        assert self._failed is not None
        if self._failed.done():
            return
        try:
            self.look()
        except Exception as error:  # noqa: BLE001 - whoever waits for `run` gets it
            self._failed.set_exception(error)
