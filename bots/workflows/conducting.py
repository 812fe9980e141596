"""Waits for the first run of a workflow, and has it driven from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from structlog.typing import FilteringBoundLogger

from bots.rounds import Rounds
from storage import workflows
from storage.store import Store

if TYPE_CHECKING:
    from bots.workflows.driver import Driver

_LOOK_EVERY_S: Final = 2.0


class Conductor:
    """`run` in the captain's process; `nudge` when something happened."""

    def __init__(self, store: Store, load: Callable[[], Driver], log: FilteringBoundLogger) -> None:
        """`load` makes the driver; it may block, for it imports what only workflows need."""
        self._store = store
        self._load = load
        self._log = log
        self._rounds = Rounds(_LOOK_EVERY_S, log, "workflows.unreadable")
        self._driver: Driver | None = None

    def nudge(self) -> None:
        """Look now."""
        self._rounds.nudge()
        if self._driver is not None:
            self._driver.nudge()

    async def run(self) -> None:
        """Until cancelled."""
        await self._rounds.run(self._drive)

    async def _drive(self) -> None:
        """Until cancelled, once there is a run."""
        if await self._store.read(workflows.any_unfinished):
            self._driver = await asyncio.to_thread(self._load)
            self._log.info("workflows.driving")
            await self._driver.run()
