"""The schema comes from code, once, whoever starts at the same time."""

from __future__ import annotations

import asyncio
import os
import sys
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from storage import talks
from storage.engine import make_engine
from storage.errors import SchemaTooNew, StorageError
from storage.migrate import beginning, config_for, upgrade
from storage.store import Store
from storage.talks import NewTalk

MIGRATOR = Path(__file__).with_name("migrator.py")
ROOT = Path(__file__).parents[3]


def agrees(connection: sa.Connection) -> None:
    with warnings.catch_warnings():
        # Indexes on expressions are compared by nobody; `last_seen`'s is such a one.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        command.check(config_for(connection))


def on_a_connection(store: Store, work: Callable[[sa.Connection], None]) -> None:
    with beginning(make_engine(store.url)) as connection:
        work(connection)


async def test_tables_and_migrations_agree(store: Store) -> None:
    await asyncio.to_thread(on_a_connection, store, agrees)


async def test_an_upgrade_may_be_repeated_and_keeps_what_is_there(
    store: Store, tmp_path: Path, sql: Callable[[str], list[Any]]
) -> None:
    sql("INSERT INTO nonce (value, expires_at) VALUES ('n', '2026-11-20 12:00:00')")
    await upgrade(store, tmp_path / "upgrade.lock")
    assert sql("SELECT value FROM nonce") == [("n",)]


async def test_talks_of_before_schema_19_are_kept_and_one_turn_still_has_one(
    store: Store, tmp_path: Path, sql: Callable[[str], list[Any]]
) -> None:
    def down(connection: sa.Connection) -> None:
        command.downgrade(config_for(connection), "0018")

    await asyncio.to_thread(on_a_connection, store, down)
    sql(
        "INSERT INTO talk (code, opener, peer, session, turn, opened_at, ended_by, why, trace_id)"
        " VALUES ('T-1', 'captain', 'buyer', 's', 's t', '2026-11-20 12:00:00', '', '', 't')"
    )
    new = NewTalk(
        code="T-2",
        opener="captain",
        peer="buyer",
        session="s",
        opened_at=datetime(2026, 11, 20, 13, tzinfo=UTC),
        trace_id="t",
    )
    for _ in range(2):
        await upgrade(store, tmp_path / "upgrade.lock")
        found = await store.write(lambda unit: talks.open_one(unit, new))
        assert found.code == "T-1"
        await asyncio.to_thread(on_a_connection, store, down)
        assert sql("SELECT code, turn FROM talk") == [("T-1", "s t")]


async def test_six_processes_upgrade_one_new_database(
    empty_database: str, tmp_path: Path, sql: Callable[[str], list[Any]]
) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            *(str(MIGRATOR), empty_database, str(tmp_path / "upgrade.lock")),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(6)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    # Only now: all six are up, and begin together.
    async with asyncio.timeout(60):
        await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert [process.returncode for process in processes] == [0] * 6
    assert sql("SELECT count(*) FROM alembic_version") == [(1,)]


async def test_a_newer_database_is_refused_and_left_alone(
    store: Store, tmp_path: Path, sql: Callable[[str], list[Any]]
) -> None:
    sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaTooNew, match=r"schema 9999.*Update Parley"):
        await upgrade(store, tmp_path / "upgrade.lock")
    assert sql("SELECT version_num FROM alembic_version") == [("9999",)]


async def test_a_lock_file_that_cannot_be_made_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        await upgrade(store, tmp_path / "nowhere" / "upgrade.lock")


@pytest.mark.usefixtures("sql")  # a database of its own
async def test_down_and_up_again(store: Store, tmp_path: Path) -> None:
    def down(connection: sa.Connection) -> None:
        command.downgrade(config_for(connection), "base")

    await asyncio.to_thread(on_a_connection, store, down)
    await upgrade(store, tmp_path / "upgrade.lock")
    await asyncio.to_thread(on_a_connection, store, agrees)
