"""Units of work: one transaction each, clear sentences, and nothing committed is ever lost."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storage import audit, nonces, sessions
from storage.core import run
from storage.errors import StorageError, StoreUnavailable
from storage.store import Store
from storage.unit import Unit
from tests.schema import give_schema

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WRITER = Path(__file__).with_name("writer.py")
ROOT = Path(__file__).parents[3]


def start_writer(store: Store, name: str, count: int) -> subprocess.Popen[str]:
    url = store.url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [sys.executable, str(WRITER), url, name, str(count)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def pragma(store: Store, name: str, *, durable: bool = False) -> Any:
    async with store.writing(durable=durable) as unit:
        return (await run(unit, sa.text(f"PRAGMA {name}"))).scalar()


@pytest.fixture
async def sqlite_store(tmp_path: Path) -> Any:
    opened = await Store.open(f"sqlite:///{tmp_path / 'parley.db'}", busy_timeout_ms=50)
    await give_schema(opened)
    yield opened
    await opened.close()


async def test_a_unit_of_work_commits_as_a_whole_or_not_at_all(store: Store) -> None:
    async with store.writing() as unit:
        await nonces.use(unit, "kept", expires_at=NOON)

    async def fail() -> None:
        async with store.writing() as unit:
            await nonces.use(unit, "lost", expires_at=NOON)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with store.reading() as unit:
        found = await run(unit, sa.text("SELECT value FROM nonce"))
        assert list(found.scalars()) == ["kept"]


async def test_work_in_one_go_commits_as_a_whole_or_not_at_all(store: Store) -> None:
    async def keep(unit: Unit, value: str) -> bool:
        return await nonces.use(unit, value, expires_at=NOON)

    async def fail(unit: Unit) -> None:
        await keep(unit, "lost")
        raise RuntimeError

    async def wait(unit: Unit) -> None:
        await keep(unit, "lost too")
        await asyncio.sleep(0)

    async def values(unit: Unit) -> list[str]:
        return [*(await run(unit, sa.text("SELECT value FROM nonce"))).scalars()]

    assert await store.write(lambda unit: keep(unit, "kept"))
    with pytest.raises(RuntimeError):
        await store.write(fail)
    with pytest.raises(AssertionError, match="waits for something"):
        await store.write(wait)
    assert await store.read(values) == ["kept"]


async def test_work_in_one_go_is_not_done_for_who_was_cancelled_in_the_middle(
    store: Store,
) -> None:
    at_work, go_on = threading.Event(), threading.Event()

    async def slow(unit: Unit) -> None:
        await nonces.use(unit, "lost", expires_at=NOON)
        at_work.set()
        go_on.wait(10)

    writer = asyncio.create_task(store.write(slow))
    assert await asyncio.to_thread(at_work.wait, 10)
    writer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writer
    go_on.set()
    async with asyncio.timeout(10), store.writing() as unit:
        assert await nonces.use(unit, "lost", expires_at=NOON)


async def test_a_closed_store_says_so_and_is_closed_twice_in_peace(store: Store) -> None:
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailable, match="was closed"):
        async with store.reading():
            pass


async def test_a_reader_that_is_cancelled_at_work_gives_its_connection_back(store: Store) -> None:
    """More of them than there are connections, each in a statement that takes long."""
    heavy = sa.text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) "
        "SELECT count(*) FROM n"
    )

    async def read() -> None:
        async with store.reading() as unit:
            await run(unit, heavy)

    for _ in range(5):
        reader = asyncio.create_task(read())
        await asyncio.sleep(0)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
    async with asyncio.timeout(10), store.reading() as unit:
        assert (await run(unit, heavy)).scalar() == 300_000


async def test_what_is_written_while_reading_is_rolled_back(store: Store) -> None:
    async with store.reading() as unit:
        await sessions.open_session(unit, "captain", "irc:#lobby", NOON)
    async with store.reading() as unit:
        assert (await run(unit, sa.text("SELECT count(*) FROM session"))).scalar() == 0


async def test_writers_of_one_process_take_turns(store: Store) -> None:
    async def write(number: int) -> None:
        async with store.writing() as unit:
            await audit.append(
                unit,
                agent="captain",
                at=NOON,
                verb="x",
                target="y",
                outcome="done",
                reason="",
                details={"n": number},
                trace_id="t",
            )

    await asyncio.gather(*(write(n) for n in range(20)))
    async with store.reading() as unit:
        assert await audit.verify(unit, "captain") is None
        assert len(await audit.entries(unit, "captain")) == 20


async def test_sqlite_is_set_up_as_the_design_says(sqlite_store: Store) -> None:
    assert sqlite_store.dialect == "sqlite"
    assert await pragma(sqlite_store, "journal_mode") == "wal"
    assert await pragma(sqlite_store, "foreign_keys") == 1
    for _ in range(2):
        assert await pragma(sqlite_store, "synchronous") == 1
        assert await pragma(sqlite_store, "synchronous", durable=True) == 2


async def test_a_locked_database_is_told_and_works_again(sqlite_store: Store) -> None:
    other = sqlite3.connect(str(sqlite_store.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked by another process"):
        async with sqlite_store.writing():
            pass
    async with sqlite_store.reading() as unit:
        assert await audit.agents_audited(unit) == []
    other.execute("ROLLBACK")
    other.close()
    async with sqlite_store.writing() as unit:
        assert await nonces.use(unit, "n", expires_at=NOON)


async def test_a_cancelled_writer_leaves_the_store_usable(store: Store) -> None:
    begun = asyncio.Event()

    async def write_for_ever() -> None:
        async with store.writing() as unit:
            await nonces.use(unit, "lost", expires_at=NOON)
            begun.set()
            await asyncio.Event().wait()

    holder = asyncio.create_task(write_for_ever())
    await begun.wait()
    second = asyncio.create_task(write_for_ever())
    await asyncio.sleep(0)
    for task in (second, holder):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with asyncio.timeout(5), store.writing() as unit:
        assert await nonces.use(unit, "lost", expires_at=NOON)


async def test_a_writer_that_gives_up_waiting_leaves_nothing_behind(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'parley.db'}")
    await give_schema(store)
    other = sqlite3.connect(str(store.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began_s = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), store.writing():
            pass
    assert time.monotonic() - began_s < 2
    other.execute("ROLLBACK")
    other.close()
    for number in range(5):
        async with asyncio.timeout(5), store.writing() as unit:
            assert await nonces.use(unit, str(number), expires_at=NOON)
    await store.close()


async def test_a_full_disk_is_told_and_leaves_what_was_there(sqlite_store: Store) -> None:
    """The child may not let files grow; to SQLite that is a disk without room."""
    script = f"""
import asyncio, resource, sys
import sqlalchemy as sa
from storage.errors import StoreUnavailable
from storage.store import Store
from storage.unit import Unit
async def main():
    store = await Store.open({str(sqlite_store.url)!r})
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        async with store.writing() as unit:
            await unit.execute(sa.text("INSERT INTO nonce VALUES ('n', '2026-01-01')"))
    except StoreUnavailable as error:
        print(error)
asyncio.run(main())
"""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(child.communicate(), 30)
    assert b"cannot be used" in said
    async with sqlite_store.writing() as unit:
        assert await nonces.use(unit, "n", expires_at=NOON)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://x/y", "no driver for 'mysql'"),
        ("sqlite://", "a file that processes can share"),
        ("what is this", "cannot be read"),
        ("sqlite:////nowhere/at/all/parley.db", "its folder must exist"),
        ("postgresql+psycopg://ann:hunter2@127.0.0.1:1/x", "cannot be used"),
    ],
)
async def test_an_unusable_url_is_told_in_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(StorageError, match=sentence) as told:
        await Store.open(url)
    assert "hunter2" not in str(told.value)


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary, " * 100)
    with pytest.raises(StoreUnavailable, match="no SQLite database"):
        await Store.open(f"sqlite:///{path}")


async def test_a_database_without_tables_is_told(empty_database: str) -> None:
    store = await Store.open(empty_database)
    with pytest.raises(StorageError, match="has not been set up"):
        async with store.reading() as unit:
            await audit.agents_audited(unit)
    await store.close()


async def test_eight_processes_write_at_once_and_none_is_refused(store: Store) -> None:
    writers = [start_writer(store, f"agent-{n}", 25) for n in range(8)]
    for writer in writers:
        _, errors = await asyncio.to_thread(writer.communicate, timeout=60)
        assert writer.returncode == 0, errors
    async with store.reading() as unit:
        for table in ("message", "inbox", "audit"):
            count = await run(unit, sa.text(f"SELECT count(*) FROM {table}"))
            assert count.scalar() == 200
        assert await audit.verify(unit, "captain") is None


async def test_kill_9_loses_nothing_that_was_committed(
    store: Store, sql: Callable[[str], list[Any]]
) -> None:
    for name in ("first", "second", "third"):
        writer = start_writer(store, name, 0)
        assert writer.stdout is not None
        told = [int(await asyncio.to_thread(writer.stdout.readline)) for _ in range(30)]
        writer.send_signal(signal.SIGKILL)
        # Not `communicate`: it reads past the lines that `readline` has already taken in.
        told += [int(number) for number in await asyncio.to_thread(writer.stdout.readlines)]
        await asyncio.to_thread(writer.communicate)
        stored = {int(text) for (text,) in sql(f"SELECT text FROM message WHERE sender = '{name}'")}
        # The one after the last told may have been committed just before the end.
        assert set(told) <= stored <= {*told, told[-1] + 1}
        owed = sql(f"SELECT count(*) FROM inbox WHERE agent = '{name}'")
        assert owed == [(len(stored),)]
    async with store.writing() as unit:
        assert await audit.verify(unit, "captain") is None
    if store.dialect == "sqlite":
        assert sql("PRAGMA integrity_check") == [("ok",)]
