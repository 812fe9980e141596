"""Engines for the two databases, with Parley's settings of a connection."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool, QueuePool

from storage.errors import StorageError

_DRIVERS: Final = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def make_engine(
    url: str | sa.URL,
    *,
    connections: int = 0,
    busy_timeout_ms: int = 5000,
    foreign_keys: bool = True,
) -> sa.Engine:
    """An engine that keeps up to so many `connections` open; with 0 each use opens its own.

    Its connections block: on an event loop they belong to `storage.store.Store`. Nothing begins by
    itself on SQLite: who writes says BEGIN, and which one. Raises `StorageError` for a URL that
    names no database we know.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite":
        return sa.create_engine(
            parsed,
            pool_pre_ping=True,
            connect_args={"options": "-c timezone=UTC"},
            **_pool(connections),
        )
    # The timeout comes first: the change to WAL waits for other processes too.
    settings = (
        f"busy_timeout={busy_timeout_ms}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
    )
    is_prepared = bool(_prepared) and connections == _OF_AN_AGENT
    made = _prepared.pop() if is_prepared else _on_sqlite(connections)
    made.file.open_as(made.engine, parsed, settings)
    return made.engine


def prepare() -> sa.Engine:
    """An engine on an empty database in memory. The next one that an agent makes on SQLite, in this
    process or in one that is forked from it, is this: what it has compiled by then it shares with
    all that are forked. Dispose of it before the fork: no connection may be open.
    """
    made = _on_sqlite(_OF_AN_AGENT)
    _prepared[:] = [made]
    return made.engine


@dataclass
class _File:
    """What connections are opened to; in memory until it is told."""

    arguments: Sequence[Any] = (":memory:",)
    options: Mapping[str, Any] = field(default_factory=dict)
    settings: Sequence[str] = ()

    def open_as(self, engine: sa.Engine, url: sa.URL, settings: Sequence[str]) -> None:
        self.arguments, self.options = engine.dialect.create_connect_args(url)
        self.settings = settings
        engine.url = url

    def connect(self) -> sqlite3.Connection:
        with ExitStack() as unless_all_goes_well:
            connection: sqlite3.Connection = sqlite3.connect(
                *self.arguments,
                **{
                    **self.options,
                    "isolation_level": None,
                    "factory": _Buffering,
                    "check_same_thread": False,
                },
            )
            unless_all_goes_well.callback(connection.close)
            for setting in self.settings:
                connection.execute(f"PRAGMA {setting}")
            unless_all_goes_well.pop_all()
        return connection


@dataclass(frozen=True)
class _Made:
    engine: sa.Engine
    file: _File


#: connections of an agent's store
_OF_AN_AGENT: Final = 2
#: at most one, see `prepare`
_prepared: Final[list[_Made]] = []


def _on_sqlite(connections: int) -> _Made:
    file = _File()
    return _Made(sa.create_engine("sqlite://", creator=file.connect, **_pool(connections)), file)


def _pool(connections: int) -> dict[str, Any]:
    if not connections:
        return {"poolclass": NullPool}
    return {"poolclass": QueuePool, "pool_size": connections, "max_overflow": 0}


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
    if driver == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise StorageError("SQLite needs a file that processes can share: write sqlite:///PATH")
    return parsed.set(drivername=driver)


class _BufferedCursor(sqlite3.Cursor):
    """Has all its rows when `execute` returns: reading them later, elsewhere, touches no file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._rows: deque[Any] = deque()

    def execute(self, sql: str, parameters: Any = (), /) -> _BufferedCursor:
        super().execute(sql, parameters)
        self._rows = deque(super().fetchall()) if self.description else deque()
        return self

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(size or 1, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        rows, self._rows = list(self._rows), deque()
        return rows


class _Buffering(sqlite3.Connection):
    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or _BufferedCursor)
