"""One transaction on a connection that blocks, as seen from an event loop.

Each piece of its work is done in a thread while the loop goes on: to open and begin is one piece,
each statement, and the end. Handing a piece over costs some 50 µs, so what needs no loop in between
is better done as a whole (`at_once`).
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar, cast

import sqlalchemy as sa

from storage.unit import Unit

T = TypeVar("T")

#: a task that waits for another process's lock notices within this time that it was cancelled
_SLICE_MS: Final = 100


class Transaction:
    """`begin`, then work through `unit`, or both `at_once`; `end` in any case, once."""

    def __init__(
        self,
        engine: sa.Engine,
        threads: ThreadPoolExecutor,
        *,
        writes: bool,
        durable: bool = False,
        busy_timeout_ms: int,
    ) -> None:
        self._engine = engine
        self._threads = threads
        self._writes = writes
        self._durable = durable
        self._busy_timeout_ms = busy_timeout_ms
        self._connection: sa.Connection | None = None
        self._running: asyncio.Future[Any] | None = None
        #: the caller of `at_once` was cancelled
        self._left = False

    async def begin(self) -> Unit:
        """Begin, waiting for other processes in short slices: a cancelled task is not held up.

        Raises what the driver raises.
        """
        deadline_s = time.monotonic() + self._busy_timeout_ms / 1000
        while not await self._aside(lambda: self._begin(deadline_s)):
            pass
        return Unit(self._open, self._aside, durable=self._durable)

    async def at_once(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        """Begin, do `work`, which may wait for nothing but its statements, and commit; nothing is
        committed for a caller who was cancelled before that.
        """
        deadline_s = time.monotonic() + self._busy_timeout_ms / 1000
        done: list[T] = []

        def whole() -> bool:
            if not self._begin(deadline_s):
                return False
            done.append(unwaiting(work(Unit(self._open, durable=self._durable))))
            if not self._left:
                self._commit()
            return True

        try:
            while not await self._aside(whole):
                pass
        except asyncio.CancelledError:
            # Who does not wait for it any more must not find it done later.
            self._left = True
            raise
        return done[0]

    async def commit(self) -> None:
        await self._aside(self._commit)

    async def end(self) -> None:
        """Roll back what was not committed and give the connection back, once the thread has done
        with it.
        """
        if self._running is not None and not self._running.done():
            await asyncio.wait([self._running])
        if self._connection is not None:
            await self._aside(self._close)

    @property
    def is_busy(self) -> bool:
        """A thread is still at work for somebody who does not wait for it any more."""
        return self._running is not None and not self._running.done()

    @property
    def _open(self) -> sa.Connection:
        assert self._connection is not None, "begin() comes first"
        return self._connection

    async def _aside(self, work: Callable[[], T]) -> T:
        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        self._running = running
        return await asyncio.shield(running)

    # --- in the thread ----------------------------------------------------------------------------

    def _commit(self) -> None:
        self._open.commit()
        self._close()

    def _close(self) -> None:
        self._open.close()
        self._connection = None

    def _begin(self, deadline_s: float) -> bool:
        """False when another process kept the database locked for a slice of time."""
        if self._connection is None:
            self._connection = self._engine.connect()
        if self._engine.dialect.name != "sqlite":
            # Its driver begins with the first statement.
            return True
        connection = self._connection
        slice_ms = min(self._busy_timeout_ms, _SLICE_MS) if self._writes else self._busy_timeout_ms
        _set(connection, "busy_timeout", str(slice_ms), self._busy_timeout_ms)
        # `synchronous` cannot change inside a transaction, and stays with the pooled connection.
        _set(connection, "synchronous", "FULL" if self._durable else "NORMAL", "NORMAL")
        try:
            _raw(connection).execute("BEGIN IMMEDIATE" if self._writes else "BEGIN")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline_s:
                raise
            return False
        connection.begin()
        return True


def unwaiting(work: Awaitable[T]) -> T:
    """What `work` comes to, which waits for nothing."""
    coroutine = cast("Coroutine[Any, Any, T]", work)
    try:
        coroutine.send(None)
    except StopIteration as done:
        return cast("T", done.value)
    coroutine.close()
    raise AssertionError("it waits for something that is no statement")


def _raw(connection: sa.Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.driver_connection)


def _set(connection: sa.Connection, name: str, value: str, initially: object) -> None:
    """Change a setting of the pooled connection, if it is another one now."""
    if connection.info.get(name, str(initially)) != value:
        _raw(connection).execute(f"PRAGMA {name}={value}")
        connection.info[name] = value
