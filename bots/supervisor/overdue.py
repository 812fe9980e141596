"""What nobody else looks after: delegations whose worker died, or whose time is over.

It looks every few seconds and writes only when something is overdue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

from structlog.typing import FilteringBoundLogger

from bots.supervisor.ground import Ground
from storage import delegating, delegations
from storage.delegating import SILENCE
from storage.delegation_tables import Delegation
from storage.errors import StorageError
from storage.unit import Unit

EVERY_S: Final = 5.0


class Overdue:
    """Any number of supervisors may look: each step is guarded by the state that it leaves."""

    def __init__(
        self, ground: Ground, *, clock: Callable[[], datetime], log: FilteringBoundLogger
    ) -> None:
        self._ground = ground
        self._clock = clock
        self._log = log

    async def run(self) -> None:
        """Look every `EVERY_S`, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.look()
            except StorageError as error:
                self._log.warning("overdue.unreadable", error=str(error))

    async def look(self) -> None:
        """Raises `StorageError`."""
        store, now = self._ground.store, self._clock()
        if not await store.read(lambda unit: delegations.any_overdue(unit, now, SILENCE)):
            return

        async def settle(unit: Unit) -> list[Delegation]:
            ended = await delegating.expire(unit, now)
            unsaid = await delegations.give_up_saying(unit, now)
            return [*ended, *unsaid, *await delegating.reclaim(unit, now, SILENCE)]

        for one in await store.write(settle):
            self._log.info(
                "delegation.overdue", code=one.code, state=one.state, trace_id=one.trace_id
            )
