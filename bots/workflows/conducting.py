"""Waits for the first run of a workflow, and has it driven from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from structlog.typing import FilteringBoundLogger

from storage import workflows
from storage.errors import StorageError
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
        self._wake = asyncio.Event()
        self._driver: Driver | None = None

    def nudge(self) -> None:
        """Look now."""
        self._wake.set()
        if self._driver is not None:
            self._driver.nudge()

    async def run(self) -> None:
        """Until cancelled."""
        while not await self._has_work():
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._wake.wait()
        self._driver = await asyncio.to_thread(self._load)
        self._log.info("workflows.driving")
        await self._driver.run()

    async def _has_work(self) -> bool:
        try:
            return await self._store.read(workflows.any_unfinished)
        except StorageError as error:
            self._log.warning("workflows.unreadable", error=str(error))
            return False
