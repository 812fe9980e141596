"""What the database itself does: as many processes as a swarm has agents, each committing one row a
transaction, through the store or through the bare driver.

``python -m tests.benchmarks.commits URL store|driver SECONDS`` is one of them: it says ``ready``,
begins when a line comes, and says how many it committed.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from collections.abc import Callable

import psycopg
import sqlalchemy as sa

from bots.cli.project import ROOT
from bots.supervisor.leash import leashed
from storage.store import Store
from storage.unit import Unit

_TABLE = sa.table("bare", sa.column("words"))
_INSERT = sa.insert(_TABLE)
_MAKE = "CREATE TABLE bare (id {id} PRIMARY KEY, words TEXT NOT NULL)"
_IDS = {"sqlite": "INTEGER", "postgresql": "BIGINT GENERATED ALWAYS AS IDENTITY"}
_WORDS = "count the mixers"
#: as an agent's store has
_CONNECTIONS = 2


async def rate(url: str, how: str, *, processes: int, for_s: float) -> float:
    """Transactions a second of all `processes` together; the table is there (`make`)."""
    words = [sys.executable, "-m", "tests.benchmarks.commits", url, how, str(for_s)]
    pipe = asyncio.subprocess.PIPE
    all_of_them = [
        await asyncio.create_subprocess_exec(*leashed(words), cwd=ROOT, stdin=pipe, stdout=pipe)
        for _ in range(processes)
    ]
    for process in all_of_them:
        assert process.stdout is not None
        await process.stdout.readline()
    told = await asyncio.gather(*(process.communicate(b"go\n") for process in all_of_them))
    return sum(int(out) for out, _ in told) / for_s


async def make(url: str) -> None:
    """The table with one column of words."""
    store = await Store.open(url)
    try:
        async with store.writing() as unit:
            await unit.execute(sa.text(_MAKE.format(id=_IDS[unit.dialect])))
    finally:
        await store.close()


async def through_the_store(url: str, for_s: float) -> int:
    store = await Store.open(url, connections=_CONNECTIONS)

    async def one(unit: Unit) -> None:
        await unit.execute(_INSERT, {"words": _WORDS})

    await store.write(one)
    _wait_for_the_start()
    count, until_s = 0, time.monotonic() + for_s
    while time.monotonic() < until_s:
        await store.write(one)
        count += 1
    await store.close()
    return count


def through_the_driver(url: str, for_s: float) -> int:
    parsed = sa.make_url(url)
    commit = _sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _postgresql(parsed)
    commit()
    _wait_for_the_start()
    count, until_s = 0, time.monotonic() + for_s
    while time.monotonic() < until_s:
        commit()
        count += 1
    return count


def _sqlite(url: sa.URL) -> Callable[[], None]:
    database = sqlite3.connect(url.database or "", timeout=30, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")

    def commit() -> None:
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO bare (words) VALUES (?)", [_WORDS])
        database.execute("COMMIT")

    return commit


def _postgresql(url: sa.URL) -> Callable[[], None]:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg.connect(address)

    def commit() -> None:
        connection.execute("INSERT INTO bare (words) VALUES (%s)", [_WORDS])
        connection.commit()

    return commit


def _wait_for_the_start() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    address, way, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    if way == "store":
        print(asyncio.run(through_the_store(address, seconds)))
    else:
        print(through_the_driver(address, seconds))
