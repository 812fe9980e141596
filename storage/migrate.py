"""Bring the database to this version's schema, from code.

Alembic is imported here only: the supervisor migrates, agents never load it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from storage.engine import make_engine
from storage.errors import SchemaTooNew, StorageError
from storage.store import Store
from storage.telling import telling

_HERE: Final = Path(__file__).parent / "migrations"
#: any number, as long as every Parley takes the same
_ADVISORY_LOCK: Final = 0x7061726C6579


async def upgrade(store: Store, lock_file: Path) -> None:
    """Create or upgrade the schema; does nothing when it is current.

    Two supervisors that start at once take turns: by `lock_file` on one machine (SQLite lives on
    one), by an advisory lock on PostgreSQL. All steps are one transaction, so a killed upgrade
    leaves what was there. Raises `SchemaTooNew` when a newer Parley has been here, and
    `StoreUnavailable` when the database cannot be written.
    """
    # Foreign keys are off meanwhile: a rebuilt parent table must not delete its children.
    engine = make_engine(store.url, foreign_keys=False)
    async with _held(lock_file):
        with telling(store.url):
            await asyncio.to_thread(_upgrade, engine)


def config_for(connection: sa.Connection) -> Config:
    """Alembic's configuration without an ini file, bound to an open connection."""
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["connection"] = connection
    return config


def _upgrade(engine: sa.Engine) -> None:
    with beginning(engine) as connection:
        _bring_up(connection)


@contextmanager
def beginning(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that changes tables: commits at the end."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def _bring_up(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        lock = sa.text("SELECT pg_advisory_xact_lock(:number)")
        connection.execute(lock, {"number": _ADVISORY_LOCK})
    config = config_for(connection)
    _refuse_newer(connection, ScriptDirectory.from_config(config))
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            places = ", ".join(sorted({str(row[0]) for row in broken}))
            raise StorageError(f"The upgrade would leave rows without their parents in {places}.")


def _refuse_newer(connection: sa.Connection, scripts: ScriptDirectory) -> None:
    for revision in MigrationContext.configure(connection).get_current_heads():
        try:
            scripts.get_revision(revision)
        except CommandError:
            raise SchemaTooNew(
                f"The database is at schema {revision}, which this Parley does not know. "
                "Update Parley, or point database_url at another database."
            ) from None


@asynccontextmanager
async def _held(lock_file: Path) -> AsyncIterator[None]:
    try:
        handle = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(f"{lock_file} cannot be opened: {error.strerror}.") from error
    try:
        await asyncio.to_thread(fcntl.flock, handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
