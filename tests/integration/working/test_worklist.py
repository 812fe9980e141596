"""Work that the store interrupted is taken up again; what was answered is not answered twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from bots.answering.recovery import Recovery
from bots.answering.worklist import CHANNEL_PRIORITY, Worklist
from brain.guard import Guard
from storage import agents, inbox, record, replies
from storage.errors import StoreUnavailable
from storage.inbox import Work
from storage.record import NewLine, Owed
from storage.store import Store
from storage.tables import InboxState, ReplyState
from tests.schema import give_schema

LOG = structlog.get_logger()


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'parley.db'}")
    await give_schema(opened)
    async with opened.writing() as unit:
        await agents.enrol(unit, "secretary", "secretary", now())
        assert await agents.take(unit, "secretary", "here", now=now(), ttl_s=60) == 1
    yield opened
    await opened.close()


async def owe(store: Store, *texts: str) -> None:
    owed = (Owed("secretary", "irc:#lobby", CHANNEL_PRIORITY),)
    async with store.writing() as unit:
        for text in texts:
            line = NewLine(
                network="irc",
                channel="#lobby",
                sender="alice",
                kind="said",
                text=text,
                said_at=now(),
                heard_at=now(),
                heard_by="auditor",
                trace_id=text,
                owed=owed,
            )
            await record.keep_new(unit, line)


async def claim(store: Store, works: list[Work], epoch: int = 1) -> list[int]:
    async with store.writing() as unit:
        return await inbox.claim(unit, [w.inbox_id for w in works], "secretary", epoch, now())


async def say(store: Store, work: Work, state: ReplyState, epoch: int = 1) -> None:
    async with store.writing() as unit:
        ids = await replies.begin(
            unit,
            "secretary",
            "irc:#lobby",
            ["so it is"],
            inbox_id=work.inbox_id,
            hops=1,
            trace_id=work.trace_id,
            now=now(),
            epoch=epoch,
        )
        if state is not ReplyState.SENDING:
            await replies.settle(unit, ids, state, "pong", now())


async def states(store: Store) -> dict[str, dict[str, int]]:
    async with store.reading() as unit:
        return await inbox.counts(unit)


def idle(store: Store) -> Worklist:
    """Nothing of what it owes is worked on."""

    async def never(_: object) -> None:
        raise AssertionError("it was worked on")

    return worklist_of(store, never)


def worklist_of(store: Store, turn: Callable[[list[Work]], Awaitable[None]]) -> Worklist:
    return Worklist(
        store,
        "secretary",
        1,
        clock=now,
        turn=turn,
        command=lambda work: turn([work]),
        outlives_kill=lambda _work: False,
        connected=lambda: ["irc"],
        is_nudged=lambda: True,
        coalesce_s=0,
        log=LOG,
    )


@asynccontextmanager
async def working(
    store: Store, turn: Callable[[list[Work]], Awaitable[None]]
) -> AsyncIterator[Worklist]:
    worklist = worklist_of(store, turn)
    running = asyncio.create_task(worklist.run())
    yield worklist
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def until_settled(store: Store, worklist: Worklist) -> None:
    async with asyncio.timeout(10):
        while set((await states(store))["secretary"]) & {"queued", "working"}:
            worklist.nudge()
            await asyncio.sleep(0)


async def test_work_that_the_store_interrupted_before_anything_was_said_is_done_again(
    store: Store,
) -> None:
    tries: list[str] = []

    async def turn(burst: list[Work]) -> None:
        await claim(store, burst)
        tries.append(burst[0].text)
        if len(tries) == 1:
            raise StoreUnavailable("it is locked by another process")
        ids = [w.inbox_id for w in burst]
        async with store.writing() as unit:
            await inbox.settle(unit, ids, "secretary", 1, InboxState.ANSWERED, now())

    await owe(store, "who is there?")
    async with working(store, turn) as worklist:
        await until_settled(store, worklist)
    assert tries == ["who is there?"] * 2


async def test_work_that_was_answered_when_the_store_failed_is_only_settled(store: Store) -> None:
    tries: list[int] = []

    async def turn(burst: list[Work]) -> None:
        await claim(store, burst)
        tries.append(len(burst))
        await say(store, burst[-1], ReplyState.SENT)
        raise StoreUnavailable("the disk is full")

    # Two lines that came together have one answer.
    await owe(store, "who is there?", "and why?")
    async with working(store, turn) as worklist:
        await until_settled(store, worklist)
    assert tries == [2]
    assert await states(store) == {"secretary": {"answered": 2}}


async def test_what_is_still_being_said_when_the_store_failed_is_looked_at_again(
    store: Store,
) -> None:
    worklist = idle(store)
    await owe(store, "who is there?")
    async with store.reading() as unit:
        burst = await inbox.waiting(unit, "secretary")
    await claim(store, burst)
    await say(store, burst[0], ReplyState.SENDING)
    worklist._failed("turn", burst, StoreUnavailable("the disk is full"))
    await worklist._look()
    assert await states(store) == {"secretary": {"working": 1}}
    async with store.writing() as unit:
        ids = [reply.id for reply in await replies.open_of(unit, "secretary") if reply.id]
        await replies.settle(unit, ids, ReplyState.UNKNOWN, "cut", now())
    await worklist._look()
    assert await states(store) == {"secretary": {"unknown": 1}}


async def test_one_line_that_breaks_its_turn_does_not_take_others_with_it(store: Store) -> None:
    async def turn(burst: list[Work]) -> None:
        await claim(store, burst)
        given_up = burst[0].note.endswith("3 faults")
        if "poison" in [w.text for w in burst] and not given_up:
            raise RuntimeError("it breaks")
        state = InboxState.REFUSED if given_up else InboxState.ANSWERED
        async with store.writing() as unit:
            await inbox.settle(unit, [w.inbox_id for w in burst], "secretary", 1, state, now())

    await owe(store, "who is there?", "poison", "and why?")
    async with working(store, turn) as worklist:
        await until_settled(store, worklist)
    assert await states(store) == {"secretary": {"answered": 2, "refused": 1}}


def recovery(store: Store, epoch: int) -> Recovery:
    guard = Guard(store, [], time.monotonic, now)
    return Recovery(store, guard, {}, "secretary", epoch, clock=now, log=LOG)


@pytest.mark.parametrize(
    ("said", "ends"),
    [(None, "queued"), (ReplyState.SENT, "answered"), (ReplyState.UNKNOWN, "unknown")],
)
async def test_a_successor_settles_a_dead_burst_as_one(
    store: Store, said: ReplyState | None, ends: str
) -> None:
    await owe(store, "who is there?", "and why?")
    async with store.reading() as unit:
        burst = await inbox.waiting(unit, "secretary")
    await claim(store, burst)
    if said is not None:
        await say(store, burst[-1], said)
    async with store.writing() as unit:
        epoch = await agents.take(unit, "secretary", "here", now=now(), ttl_s=60)
    assert not await recovery(store, epoch).look()
    assert await states(store) == {"secretary": {ends: 2}}


async def test_what_the_successor_itself_is_sending_is_left_alone(store: Store) -> None:
    successor = recovery(store, 1)
    assert not successor.knows
    assert not await successor.look()
    assert successor.knows
    await owe(store, "who is there?")
    async with store.reading() as unit:
        burst = await inbox.waiting(unit, "secretary")
    await claim(store, burst)
    await say(store, burst[0], ReplyState.SENDING)
    assert not await successor.look()
    async with store.reading() as unit:
        assert len(await replies.open_of(unit, "secretary")) == 1


async def test_work_that_is_stopped_before_it_began_is_refused_and_leaves_nothing(
    store: Store,
) -> None:
    worklist = idle(store)
    await owe(store, "one", "two")
    async with store.reading() as unit:
        first, second = await inbox.waiting(unit, "secretary")
    worklist._take_up(first)
    worklist._take_up(replace(second, priority=0))
    # Neither task has run yet: the kill comes in the same moment.
    worklist.stop_all("killed by bob")
    async with asyncio.timeout(10):
        while worklist._tasks or worklist._sessions or worklist._commands:  # noqa: ASYNC110
            await asyncio.sleep(0)
    async with store.reading() as unit:
        assert (await inbox.counts(unit))["secretary"] == {"refused": 2}
    assert not worklist._taken


async def test_what_is_asked_after_a_stop_is_answered_while_the_stopped_work_still_ends(
    store: Store,
) -> None:
    begun, ends = asyncio.Event(), asyncio.Event()
    ended: list[str] = []
    answered: list[str] = []

    async def turn(burst: list[Work]) -> None:
        if burst[0].text == "a long one":
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                # What it had begun to say is left in order.
                await ends.wait()
                ended.append(burst[0].text)
        answered.append(burst[0].text)
        async with store.writing() as unit:
            ids = [w.inbox_id for w in burst]
            await inbox.settle(unit, ids, "secretary", 1, InboxState.ANSWERED, now())

    async with asyncio.timeout(10), working(store, turn) as worklist:
        await owe(store, "a long one")
        worklist.nudge()
        await begun.wait()
        assert worklist.stop_session("irc:#lobby", "alice said stop", "alice")
        await asyncio.sleep(0)
        # Said again, it does not end the ending.
        assert not worklist.stop_session("irc:#lobby", "alice said stop", "alice")
        await owe(store, "a short one")
        while not answered:
            worklist.nudge()
            await asyncio.sleep(0)
        ends.set()
        await until_settled(store, worklist)
    assert (ended, answered) == (["a long one"], ["a short one"])
    assert await states(store) == {"secretary": {"refused": 1, "answered": 1}}
