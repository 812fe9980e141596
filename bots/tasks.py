"""The tasks that make up one process: started together, cancelled together, none dies unnoticed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from structlog.typing import FilteringBoundLogger


class Tasks:
    """Half a process is worse than none: a task that raises is logged and told to `on_broken`."""

    def __init__(self, on_broken: Callable[[], None], log: FilteringBoundLogger) -> None:
        self._on_broken = on_broken
        self._log = log
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, *work: Coroutine[Any, Any, Any]) -> None:
        for one in work:
            task = asyncio.create_task(one)
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def cancel(self) -> None:
        """Cancel all and wait until they have ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._log.error("process.broken", exc_info=task.exception())
            self._on_broken()
