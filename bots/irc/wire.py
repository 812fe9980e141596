"""What the rooms of one session share: the connection, its timers and its tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol
from weakref import WeakSet

from bots.irc.connection import Connection


class Log(Protocol):
    """The part of a structlog logger that this package uses."""

    def info(self, event: str, **facts: Any) -> Any: ...

    def warning(self, event: str, **facts: Any) -> Any: ...


class Wire:
    """`later` and `spawn` belong to the connection: `cut` cancels what is left of them."""

    def __init__(self, connection: Connection, loop: asyncio.AbstractEventLoop, log: Log) -> None:
        self._connection = connection
        self._loop = loop
        self._log = log
        self._timers: WeakSet[asyncio.TimerHandle] = WeakSet()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_up(self) -> bool:
        return bool(self._connection.connected)

    def now_s(self) -> float:
        return self._loop.time()

    def future(self) -> asyncio.Future[None]:
        return self._loop.create_future()

    def send(self, line: str) -> None:
        """Write `line` at once; lines for people go through `Speech`, which paces them."""
        self._connection.send(line)

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        self._timers.add(self._loop.call_later(delay_s, call))

    def spawn(
        self, work: Coroutine[Any, Any, None], *, on_failure: Callable[[], None] | None = None
    ) -> None:
        """Run `work` beside the reading; its exception is logged, and `on_failure` is called."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(partial(self._finished, on_failure))

    def cut(self) -> None:
        for timer in list(self._timers):
            timer.cancel()
        for task in list(self._tasks):
            task.cancel()

    def _finished(self, on_failure: Callable[[], None] | None, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        self._log.warning("irc_task_failed", error=repr(error))
        if on_failure is not None:
            on_failure()
