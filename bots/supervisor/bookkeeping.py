"""The ledger looked after: what is held beyond its deadline goes back, and the sums are proved when
the swarm starts and every hour.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from structlog.typing import FilteringBoundLogger

from brain.bank import Bank
from brain.errors import Refused
from storage import holds
from storage.errors import StorageError
from storage.latch import Latch
from storage.reconciliation import reconcile
from storage.store import Store

_EVERY_S: Final = 30.0
_PROVED_EVERY: Final = timedelta(hours=1)


class Bookkeeping:
    """`run` until cancelled. Several supervisors may: a hold is given back once."""

    def __init__(
        self,
        store: Callable[[], Store],
        latch: Callable[[str], Latch | None],
        *,
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        self._store = store
        self._latch = latch
        self._clock = clock
        self._log = log
        self._proved_at: datetime | None = None

    async def run(self) -> None:
        while True:
            try:
                await self.look()
            except StorageError as error:
                self._log.warning("ledger.unkept", error=str(error))
            except Refused as error:
                # Of a killed swarm no credit moves, in no direction.
                self._log.info("ledger.unkept", error=error.reason)
            await asyncio.sleep(_EVERY_S)

    async def look(self) -> None:
        """Give back, and prove what is due. Raises `Refused` and `StorageError`."""
        store, now = self._store(), self._clock()
        if self._proved_at is None or abs(now - self._proved_at) >= _PROVED_EVERY:
            proved = await store.read(reconcile)
            self._proved_at = now
            for finding in proved.findings:
                self._log.error("ledger.wrong", says=finding)
        if await store.read(lambda unit: holds.any_overdue(unit, now)):
            bank = Bank.of_operators(store, self._latch, now=self._clock, monotonic=time.monotonic)
            back = await bank.sweep(trace_id=secrets.token_hex(8))
            self._log.info("ledger.swept", holds=[hold.code for hold in back])
