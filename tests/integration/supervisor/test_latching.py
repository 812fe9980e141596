"""Kill and resume among slow buses, unwritable files and locked databases: a kill always wins."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from bots.bus import KILL
from bots.supervisor.latching import KilledAgain, Latching
from storage import latch as latch_rows
from storage.errors import StorageError
from storage.latch import Latch, LatchFile
from storage.store import Store
from tests.schema import give_schema

BUS_DELAY_S = 0.03


class Deaf(LatchFile):
    """A latch file on a disk that has become read-only."""

    dead = False

    def kill(self, *words: Any, **more: Any) -> bool:
        if self.dead:
            raise StorageError("read-only file system")
        return super().kill(*words, **more)


class Machines:
    """Some supervisors' latching on one store, joined by a bus that takes its time."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.published: list[str] = []
        self.all: list[Latching] = []

    def add(self) -> Latching:
        file = Deaf(self.folder / f"latch{len(self.all)}.json")
        file.create()
        one = Latching(
            file,
            SimpleNamespace(store=self.store),  # type: ignore[arg-type]
            {},
            bus=lambda: SimpleNamespace(publish=self._publish),  # type: ignore[return-value, arg-type]
            clock=lambda: datetime.now(UTC),
            log=structlog.get_logger(),
        )
        self.all.append(one)
        return one

    def _publish(self, subject: str, body: dict[str, Any]) -> None:
        self.published.append(subject)
        loop = asyncio.get_running_loop()
        for one in self.all:
            hear = one.hear_kill if subject == KILL else one.hear_resume
            loop.call_later(BUS_DELAY_S, hear, body)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(work) for m in self.all for work in (m.run(), m.watch())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for machine in self.all:
                await machine.close()

    async def row(self) -> Latch | None:
        async with self.store.reading() as unit:
            return (await latch_rows.read_rows(unit)).get("all")

    async def until(self, met: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not await _value(met):  # noqa: ASYNC110 - a look, the deadline decides
                await asyncio.sleep(0)


async def _value(met: Callable[[], Any]) -> Any:
    found = met()
    return await found if asyncio.iscoroutine(found) else found


@pytest.fixture
async def machines(tmp_path: Path) -> AsyncIterator[Machines]:
    store = await Store.open(f"sqlite:///{tmp_path}/parley.sqlite")
    await give_schema(store)
    yield Machines(store, tmp_path)
    await store.close()


def order(reason: str) -> Latch:
    return Latch("all", True, "op", "here", reason, datetime.now(UTC))


async def test_one_kill_is_carried_out_once_however_late_the_bus_brings_it_back(
    machines: Machines,
) -> None:
    first, second = machines.add(), machines.add()
    async with machines.running():
        await first.kill(order("one"))
        await machines.until(lambda: second.file.killed("all"))
        # Every echo has come and gone when ten delays are over.
        done = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(10 * BUS_DELAY_S, done.set_result, None)
        await done
        assert machines.published.count(KILL) <= 2
        assert not (await first.resume("all", "op", "here", "calm")).killed
        await machines.until(lambda: second.file.killed("all") is None)


async def test_a_kill_that_no_file_takes_holds_in_the_row_and_for_who_is_born(
    machines: Machines,
) -> None:
    one = machines.add()
    assert isinstance(one.file, Deaf)
    one.file.dead = True
    async with machines.running():
        await one.kill(order("dark"))

        async def killed() -> bool:
            row = await machines.row()
            return row is not None and row.killed

        await machines.until(killed)
        assert [o.reason for o in one.unwritten()] == ["dark"]
        one.file.dead = False
        await one.resume("all", "op", "here", "light again")
        assert one.unwritten() == []


async def test_a_kill_during_a_resume_stays(machines: Machines) -> None:
    one = machines.add()
    async with machines.running():
        await one.kill(order("first"))

        async def killed() -> bool:
            row = await machines.row()
            return row is not None and row.killed

        await machines.until(killed)
        with closing(
            sqlite3.connect(machines.folder / "parley.sqlite", isolation_level=None)
        ) as holder:
            holder.execute("BEGIN IMMEDIATE")
            resuming = asyncio.create_task(one.resume("all", "op", "here", "calm"))
            # One turn of the loop: the word to resume has been given.
            await asyncio.sleep(0)
            await one.kill(order("second"))
            holder.execute("COMMIT")
            with pytest.raises(KilledAgain):
                await resuming
        assert one.file.killed("all") is not None
        await machines.until(killed)
