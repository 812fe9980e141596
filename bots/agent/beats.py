"""An agent's infra heartbeat in the store, for other machines and for people."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from storage import agents
from storage.errors import StorageError
from storage.store import Store
from storage.tables import HeartbeatTier

EVERY_S = 30.0


@dataclass
class Breaker:
    """Stops trying after `failures` in a row, for `pause_s`. Pure: seconds in, yes or no out."""

    failures: int = 3
    pause_s: float = 60.0
    _failed: int = 0
    _open_until_s: float = 0.0

    def allows(self, now_s: float) -> bool:
        return now_s >= self._open_until_s

    def succeeded(self) -> None:
        self._failed = 0

    def failed(self, now_s: float) -> None:
        """Count one failure; the last one allowed opens the breaker."""
        self._failed += 1
        if self._failed >= self.failures:
            self._failed = 0
            self._open_until_s = now_s + self.pause_s


async def beat_for_ever(
    store: Store, agent: str, *, clock: Callable[[], datetime], log: FilteringBoundLogger
) -> None:
    """Write the infra heartbeat every `EVERY_S`, until cancelled; trips after three failures and
    recovers.
    """
    breaker = Breaker()
    loop = asyncio.get_running_loop()
    while True:
        if breaker.allows(loop.time()):
            try:
                async with store.writing() as unit:
                    await agents.beat(unit, agent, HeartbeatTier.INFRA, clock())
                breaker.succeeded()
            except StorageError as error:
                breaker.failed(loop.time())
                log.warning("heartbeat.unwritable", error=str(error))
        await asyncio.sleep(EVERY_S)
