"""The functional heartbeat of one turn."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

#: work without a beat for 90 s counts as dead
_BEAT_EVERY_S: Final = 15.0


@dataclass
class Pulse:
    """Await it after each step; the claim was the first beat, so the next can wait."""

    beat: Callable[[], Awaitable[None]]
    _last_s: float = field(default_factory=time.monotonic)

    async def __call__(self) -> None:
        if time.monotonic() - self._last_s >= _BEAT_EVERY_S:
            await self.beat()
            self._last_s = time.monotonic()
