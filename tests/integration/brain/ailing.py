"""A store that ails when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from storage.store import Store


class Sick:
    """A store whose writes fail, or wait, as the test says."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.failure: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()
        #: somebody waits for it to open
        self.awaited = asyncio.Event()

    async def write(self, work: Callable[..., Any], **more: Any) -> Any:
        if not self.open.is_set():
            self.awaited.set()
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        return await self._store.write(work, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
