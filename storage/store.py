"""The store: one database, and units of work on it (one transaction each).

Open it after the fork: connections and threads do not survive one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final, TypeVar

import sqlalchemy as sa

from storage.engine import make_engine
from storage.errors import StorageError, StoreUnavailable
from storage.telling import name_of, telling
from storage.transaction import Transaction
from storage.unit import Unit

T = TypeVar("T")

#: longest wait for a connection, or for the other writers of this process
_WAIT_S: Final = 30.0


class Store:
    """One database. Units of work come from here; nothing else touches the engine."""

    def __init__(self, url: str, *, connections: int = 3, busy_timeout_ms: int = 5000) -> None:
        """Connects to nothing yet. `url` is ``sqlite:///PATH`` or ``postgresql+psycopg://…``;
        raises `StorageError` for one that names no database we know.
        """
        self._engine = make_engine(url, connections=connections, busy_timeout_ms=busy_timeout_ms)
        self._busy_timeout_ms = busy_timeout_ms
        # A thread for each connection: no unit of work waits for another one's statement.
        self._threads = ThreadPoolExecutor(connections, "store")
        self._free = asyncio.Semaphore(connections)
        # SQLite's own waiting is unfair and blocks a thread; within a process writers queue here.
        self._turn = asyncio.Lock()
        self._closed = False
        #: transactions whose callers were cancelled
        self._endings: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, url: str, *, connections: int = 3, busy_timeout_ms: int = 5000) -> Store:
        """A store that answers; raises `StoreUnavailable` when the database does not, and
        `StorageError` as the constructor.
        """
        store = cls(url, connections=connections, busy_timeout_ms=busy_timeout_ms)
        try:
            async with store.reading() as unit:
                await unit.execute(sa.text("SELECT 1"))
        except StorageError:
            await store.close()
            raise
        return store

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    @property
    def url(self) -> sa.URL:
        return self._engine.url

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Unit]:
        """One consistent view of the database; whatever is written in it is rolled back."""
        async with self._transaction(writes=False) as transaction:
            yield await transaction.begin()

    @asynccontextmanager
    async def writing(self, *, durable: bool = False) -> AsyncIterator[Unit]:
        """One transaction: commits at the end, rolls back when anything is raised.

        With `durable` the commit survives a power cut (SQLite: synchronous FULL), otherwise the
        death of the process only. Raises `StoreUnavailable` when the database cannot be written.
        """
        async with self._transaction(writes=True, durable=durable) as transaction:
            yield await transaction.begin()
            await transaction.commit()

    async def write(self, work: Callable[[Unit], Awaitable[T]], *, durable: bool = False) -> T:
        """`writing` in one go: `work` may wait for nothing but its statements, and runs in another
        thread, so that an answer does not wait for the event loop between them.
        """
        async with self._transaction(writes=True, durable=durable) as transaction:
            return await transaction.at_once(work)

    async def read(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        """`reading` in one go, as `write`."""
        async with self._transaction(writes=False) as transaction:
            return await transaction.at_once(work)

    async def close(self) -> None:
        """Close every connection; what is begun later fails with `StoreUnavailable`."""
        if self._closed:
            return
        self._closed = True
        if self._endings:
            await asyncio.wait(self._endings, timeout=self._busy_timeout_ms / 1000)
        await asyncio.get_running_loop().run_in_executor(self._threads, self._engine.dispose)
        self._threads.shutdown(wait=False)

    @asynccontextmanager
    async def _transaction(
        self, *, writes: bool, durable: bool = False
    ) -> AsyncIterator[Transaction]:
        if self._closed:
            raise StoreUnavailable(f"The database {name_of(self.url)} was closed.")
        with telling(self.url):
            async with AsyncExitStack() as held:
                if writes and self.dialect == "sqlite":
                    await self._take(held, self._turn, "Another writer of this process has kept")
                await self._take(held, self._free, "All connections are busy to")
                transaction = Transaction(
                    self._engine,
                    self._threads,
                    writes=writes,
                    durable=durable,
                    busy_timeout_ms=self._busy_timeout_ms,
                )
                try:
                    yield transaction
                finally:
                    if transaction.is_busy:
                        self._leave(transaction, held.pop_all())
                    else:
                        await transaction.end()

    def _leave(self, transaction: Transaction, held: AsyncExitStack) -> None:
        """A cancelled caller goes on at once; what it held is free when its thread is."""

        async def ending() -> None:
            async with held:
                await transaction.end()

        task = asyncio.create_task(ending())
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    async def _take(
        self, held: AsyncExitStack, what: AbstractAsyncContextManager[None], trouble: str
    ) -> None:
        try:
            async with asyncio.timeout(_WAIT_S):
                await held.enter_async_context(what)
        except TimeoutError:
            raise StoreUnavailable(f"{trouble} {name_of(self.url)} for {_WAIT_S:.0f} s.") from None
