"""Looking again and again: when something is due, when somebody says so, and now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Final

from structlog.typing import FilteringBoundLogger

from storage.errors import StorageError

#: a storm of nudges makes no storm of looks
_REST_S: Final = 0.2
#: who may do nothing just now looks so often whether he may
HALTED_S: Final = 2.0
#: nothing is due sooner than this
_SOON_S: Final = 0.05


class Rounds:
    """`run` until cancelled; `nudge` when something happened."""

    def __init__(self, every_s: float, log: FilteringBoundLogger, trouble: str) -> None:
        """`trouble` is the log's event where the store does not let itself be looked at."""
        self.every_s = every_s
        self._log = log
        self._trouble = trouble
        self._wake = asyncio.Event()

    def nudge(self) -> None:
        """Look now."""
        self._wake.set()

    async def run(self, look: Callable[[], Awaitable[float | None]]) -> None:
        """`look` tells the seconds until its next round, None where nothing is due."""
        while True:
            self._wake.clear()
            wait_s = None
            try:
                wait_s = await look()
            except StorageError as error:
                self._log.warning(self._trouble, error=str(error))
            await asyncio.sleep(_REST_S)
            left_s = (self.every_s if wait_s is None else wait_s) - _REST_S
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, left_s)):
                    await self._wake.wait()

    def until(self, moments: Iterable[datetime], now: datetime) -> float:
        """Seconds until the first of these that is still ahead of `now`, `every_s` at most.

        What is due already was looked at: looking at once again would bring nothing new.
        """
        left_s = (
            max(_SOON_S, (moment - now).total_seconds()) for moment in moments if moment > now
        )
        return min([self.every_s, *left_s])
