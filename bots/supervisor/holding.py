"""Which kills hold on this machine: those in the latch's file, and those that it would not take."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from structlog.typing import FilteringBoundLogger

from storage import latch
from storage.errors import LatchUnreadable, StorageError
from storage.latch import Latch, LatchFile


class Holding:
    """The latch's file as a supervisor writes it."""

    def __init__(self, file: LatchFile, log: FilteringBoundLogger) -> None:
        self._file = file
        self._log = log
        #: kills that the file would not take: they hold as long as this process does
        self._unwritten: dict[str, Latch] = {}

    def by_scope(self) -> dict[str, Latch]:
        """What the file says; nothing when it is unreadable: then all are killed anyway."""
        try:
            return self._file.read()
        except LatchUnreadable:
            return {}

    def stands(self, order: Latch) -> bool:
        """Whether this kill, or one that means the same, holds still."""
        return order.scope in self._unwritten or self._file.killed(order.scope) is not None

    def is_known(self, order: Latch) -> bool:
        """Whether an older kill holds this scope already."""
        known = self.by_scope().get(order.scope)
        # The door that the kill came through may have written the file already: that is this very
        # kill.
        return known is not None and known.killed and known.changed_at < order.changed_at

    def unwritten(self) -> list[Latch]:
        """Kills that no file tells the agents of: who is born now must be told by pipe."""
        return list(self._unwritten.values())

    async def kill(self, order: Latch) -> None:
        """Write it down; where that cannot be, it holds all the same."""
        try:
            await asyncio.to_thread(
                self._file.kill, order.scope, order.by, order.door, order.reason, order.changed_at
            )
        except (OSError, StorageError) as error:
            self._unwritten[order.scope] = order
            self._log.error("latch.unwritable", error=str(error))

    async def resume(self, order: Latch, seen: Mapping[str, Latch]) -> None:
        """Open in the file what held when the word was given. Raises `OSError`, `StorageError`."""
        await asyncio.to_thread(
            self._file.resume,
            order.scope,
            order.by,
            order.door,
            order.reason,
            order.changed_at,
            seen=seen,
        )

    def forget(self, scope: str) -> None:
        """The kills that the file would not take are lifted, too."""
        for freed in list(self._unwritten):
            if scope in {latch.ALL, freed}:
                del self._unwritten[freed]
