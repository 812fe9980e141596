"""Signs on a line that is being answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bots.answering.courtesy import Courtesy
from bots.messages import Mark, Target
from brain.guard import Guard, LatchPolicy
from storage.acts import Permit
from storage.inbox import Work
from storage.store import Store
from tests.schema import give_schema

LOBBY = Target.channel("discord", "#lobby")
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'parley.db'}")
    await give_schema(opened)
    yield opened
    await opened.close()


class Signs:
    """A network that shows marks: it notes them."""

    network = "discord"
    has_replies = True

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self.news = asyncio.Event()

    async def mark(self, target: Target, message: str, mark: Mark, permit: Permit) -> None:
        self.marks.append(mark)
        self.news.set()

    async def typing(self, target: Target, permit: Permit) -> None:
        self.news.set()


def work() -> Work:
    return Work(
        inbox_id=1, agent="captain", session="discord:#lobby", priority=30, state="working",
        listener_of=None, epoch=1, queued_at=NOON, note="", trace_id="t", message_id=1,
        network="discord", channel="#lobby", sender="you", account="7", kind="said",
        text="who hums?", said_at=NOON, heard_at=NOON, hops=0, msgid="5", said_by=None,
    )  # fmt: skip


@pytest.mark.parametrize(("fault", "last"), [(None, Mark.DONE), (asyncio.CancelledError, None)])
async def test_work_that_was_stopped_is_not_marked_as_done(
    store: Store, fault: type[BaseException] | None, last: Mark | None
) -> None:
    signs = Signs()
    guard = Guard(store, [LatchPolicy(lambda _: None)], time.monotonic, now)
    courtesy = Courtesy("captain", guard, {"discord": signs}, "always")  # type: ignore[dict-item]
    before = asyncio.all_tasks()
    try:
        async with courtesy.attending(work(), LOBBY):
            if fault is not None:
                raise fault
    except asyncio.CancelledError:
        pass
    async with asyncio.timeout(10):
        await asyncio.gather(*(asyncio.all_tasks() - before))
    assert signs.marks == [mark for mark in (Mark.SEEN, last) if mark]
