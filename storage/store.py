"""The store: one database, and units of work on it (one transaction each).

Open it after the fork: connections and threads do not survive one.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, contextmanager
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from storage.errors import StorageError, StoreUnavailable
from storage.unit import Unit

#: a task that waits for another process's lock notices within this time that it was cancelled
_SLICE_MS: Final = 100
_BEGIN: Final = "parley_begin"
_DURABLE: Final = "parley_durable"
_DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
#: connections beyond `pool_size` that a burst may open
_OVERFLOW: Final = 1
#: longest wait for a connection, or for the other writers of this process
_WAIT_S: Final = 30.0

#: what a driver says → what a person can act on
_SENTENCES: Final = (
    ("database is locked", "it is locked by another process"),
    ("database table is locked", "it is locked by another process"),
    ("readonly database", "it is read-only; check the owner and the permissions of its folder"),
    ("disk is full", "the disk is full"),
    ("No space left on device", "the disk is full"),
    ("unable to open database file", "the file cannot be opened; its folder must exist"),
    ("disk I/O error", "the disk reported an error"),
    ("file is not a database", "the file is no SQLite database"),
    ("malformed", "the file is damaged"),
)
_NO_TABLES: Final = ("no such table", 'relation "')


class Store:
    """One database. `reading` and `writing` give units of work; nothing else touches the engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._readers = engine.execution_options(**{_BEGIN: "BEGIN"})
        self._writers = engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        self._durable = engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE", _DURABLE: True})
        # SQLite's own waiting is unfair and blocks a thread; within a process writers queue here.
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, url: str, *, pool_size: int = 2, busy_timeout_ms: int = 5000) -> Store:
        """Connect to ``sqlite:///PATH`` or ``postgresql+psycopg://…``.

        Raises `StoreUnavailable` when the database does not answer and `StorageError` for a URL
        that names no database we know.
        """
        engine = make_engine(url, pool_size=pool_size, busy_timeout_ms=busy_timeout_ms)
        store = cls(engine)
        try:
            with telling(engine.url):
                if engine.dialect.name == "sqlite":
                    await asyncio.to_thread(_probe, str(engine.url.database))
                async with engine.connect() as connection:
                    await connection.execute(sa.text("SELECT 1"))
        except StorageError:
            await engine.dispose()
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
        with telling(self.url):
            async with self._readers.connect() as connection:
                yield Unit(connection)

    @asynccontextmanager
    async def writing(self, *, durable: bool = False) -> AsyncIterator[Unit]:
        """One transaction: commits at the end, rolls back when anything is raised.

        With `durable` the commit survives a power cut (SQLite: synchronous FULL), otherwise the
        death of the process only. Raises `StoreUnavailable` when the database cannot be written.
        """
        async with AsyncExitStack() as stack:
            stack.enter_context(telling(self.url))
            if self.dialect == "sqlite":
                await self._take_turn(stack)
            engine = self._durable if durable else self._writers
            yield Unit(await stack.enter_async_context(engine.begin()))

    async def _take_turn(self, stack: AsyncExitStack) -> None:
        try:
            async with asyncio.timeout(_WAIT_S):
                await stack.enter_async_context(self._turn)
        except TimeoutError:
            raise StoreUnavailable(
                f"Another writer of this process has kept {_name(self.url)} for {_WAIT_S:.0f} s."
            ) from None

    async def close(self) -> None:
        """Close every connection; units of work still open fail."""
        await self._engine.dispose()


def make_engine(
    url: str | sa.URL,
    *,
    pool_size: int = 2,
    busy_timeout_ms: int = 5000,
    foreign_keys: bool = True,
) -> AsyncEngine:
    """An engine with Parley's connection settings; `pool_size` 0 means a connection a use."""
    parsed = _parse(url)
    pool: dict[str, Any] = {"poolclass": NullPool}
    if pool_size:
        pool = {
            "pool_size": pool_size,
            "max_overflow": _OVERFLOW,
            "pool_timeout": _WAIT_S,
        }
    if parsed.get_backend_name() == "sqlite":
        # The driver must not begin or commit by itself: we say BEGIN, and which one.
        engine = create_async_engine(parsed, connect_args={"isolation_level": None}, **pool)
        _prepare_sqlite(engine, busy_timeout_ms=busy_timeout_ms, foreign_keys=foreign_keys)
        return engine
    return create_async_engine(
        parsed, pool_pre_ping=True, connect_args={"options": "-c timezone=UTC"}, **pool
    )


def _parse(url: str | sa.URL) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except ArgumentError:
        raise StorageError(
            "The database URL cannot be read: write sqlite:///PATH or postgresql+psycopg://…"
        ) from None
    driver = _DRIVERS.get(parsed.drivername)
    if driver is None:
        raise StorageError(
            f"There is no driver for {parsed.drivername!r}: "
            "write sqlite:///PATH or postgresql+psycopg://…"
        )
    if driver.startswith("sqlite") and parsed.database in {None, "", ":memory:"}:
        raise StorageError("SQLite needs a file that processes can share: write sqlite:///PATH")
    return parsed.set(drivername=driver)


def _probe(path: str) -> None:
    """Raise `sqlite3.Error` when `path` is no database that can be opened.

    A failed open inside aiosqlite leaves a thread behind that speaks to the closed event loop.
    """
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA schema_version")


def _prepare_sqlite(engine: AsyncEngine, *, busy_timeout_ms: int, foreign_keys: bool) -> None:
    # The timeout comes first: the change to WAL waits for other processes too.
    settings = (
        f"busy_timeout={busy_timeout_ms}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        with ExitStack() as unless_all_goes_well:
            unless_all_goes_well.callback(connection.close)
            cursor = connection.cursor()
            for setting in settings:
                cursor.execute(f"PRAGMA {setting}")
            cursor.close()
            unless_all_goes_well.pop_all()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        begin = str(options.get(_BEGIN, "BEGIN IMMEDIATE"))
        slice_ms = min(busy_timeout_ms, _SLICE_MS) if begin != "BEGIN" else busy_timeout_ms
        _set(connection, "busy_timeout", str(slice_ms), busy_timeout_ms)
        # `synchronous` cannot change inside a transaction, and stays with the pooled connection.
        _set(connection, "synchronous", "FULL" if options.get(_DURABLE) else "NORMAL", "NORMAL")
        _insist(connection, begin, time.monotonic() + busy_timeout_ms / 1000)


def _set(connection: sa.Connection, name: str, value: str, initially: object) -> None:
    """Change a setting of the pooled connection, if it is another one now."""
    if connection.info.get(name, str(initially)) != value:
        connection.exec_driver_sql(f"PRAGMA {name}={value}")
        connection.info[name] = value


def _insist(connection: sa.Connection, begin: str, deadline_s: float) -> None:
    """Begin, waiting for other processes in short slices: a cancelled task is not held up."""
    cursor = connection.connection.cursor()
    try:
        while True:
            try:
                cursor.execute(begin)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline_s:
                    raise
            else:
                return
    finally:
        cursor.close()


@contextmanager
def telling(url: sa.URL) -> Iterator[None]:
    """Turn what a driver says about an unusable database into `StoreUnavailable` with a sentence.

    Errors of a statement (a broken constraint, a type) pass as they are.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise StoreUnavailable(
            f"The database {_name(url)} cannot be used: all its connections are busy."
        ) from error
    except sqlite3.Error as error:
        raise StoreUnavailable(_sentence(url, str(error))) from error
    except DBAPIError as error:
        said = str(error.orig)
        if any(words in said for words in _NO_TABLES) and "constraint" not in said:
            raise StorageError(
                f"The database {_name(url)} has not been set up: `run.py up` does it."
            ) from error
        if error.connection_invalidated or _is_about_the_database(error, said):
            raise StoreUnavailable(_sentence(url, said)) from error
        raise


def _is_about_the_database(error: DBAPIError, said: str) -> bool:
    if any(words in said for words, _ in _SENTENCES):
        return True
    if isinstance(error, sa.exc.OperationalError):
        # SQLite reports broken SQL as an operational error too.
        return "syntax error" not in said and "no such column" not in said
    return isinstance(error, sa.exc.InterfaceError)


def _sentence(url: sa.URL, said: str) -> str:
    why = next((sentence for words, sentence in _SENTENCES if words in said), None)
    return f"The database {_name(url)} cannot be used: {why or said.strip().splitlines()[0]}."


def _name(url: sa.URL) -> str:
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.render_as_string(hide_password=True)
