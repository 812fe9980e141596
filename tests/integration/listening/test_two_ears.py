"""Two agents that hear the same channel store each line once, however late the second one is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from bots.hearing.journal import Journal
from bots.hearing.listening import Ears
from storage import leases, record
from storage.record import NewLine
from storage.store import Store
from storage.tables import LineKind
from tests.schema import give_schema

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=5)
DEADLINE_S = 20
#: lines go round among so many
PEOPLE = 7


def line(number: int, heard_by: str) -> NewLine:
    return NewLine(
        network="irc",
        channel="#lobby",
        sender=f"nick{number % PEOPLE}",
        kind=LineKind.SAID,
        text=f"line {number}",
        said_at=NOON,
        heard_at=NOON,
        heard_by=heard_by,
        trace_id="",
    )


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'parley.db'}")
    await give_schema(opened)
    yield opened
    await opened.close()


def ears(store: Store, agent: str, folder: Path, clock: Callable[[], datetime]) -> Ears:
    return Ears(
        store,
        agent,
        clock=clock,
        journal=Journal(folder / f"{agent}.journal"),
        on_owed=lambda _agents: None,
        log=structlog.get_logger(),
    )


async def stored(store: Store) -> list[str]:
    async with store.reading() as unit:
        return [m.text for m in await record.tail(unit, "irc", "#lobby", 5_000)]


async def holds(store: Store, rows: int) -> None:
    """Wait until so many rows are stored, or more."""
    async with asyncio.timeout(DEADLINE_S):
        while len(await stored(store)) < rows:  # noqa: ASYNC110 - rows, not an event
            await asyncio.sleep(0.01)


def hear(one: Ears, numbers: Iterable[int], agent: str) -> None:
    for number in numbers:
        one.heard(line(number, agent))


@asynccontextmanager
async def two(store: Store, folder: Path) -> AsyncIterator[tuple[Ears, Ears]]:
    """The channel's listener, which holds the lease, and another that stores after the grace."""
    times = [NOON]

    def clock() -> datetime:
        return times[-1]

    listener, other = (ears(store, name, folder, clock) for name in ("listener", "other"))
    for one in (listener, other):
        await one.enter("irc", "#lobby")
    # What is heard from now on is overdue at once.
    times.append(LATER)
    await listener.volunteer("irc", "#lobby")
    working = [asyncio.create_task(one.run()) for one in (listener, other)]
    try:
        yield listener, other
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)


async def test_a_listener_that_was_overtaken_stores_only_what_is_missing(
    store: Store, tmp_path: Path
) -> None:
    # Somebody says the same at the beginning and at the end of what the other one stored, after a
    # line that the listener did not hear.
    missed, same = 700, 0
    early = [same, *(n for n in range(400) if n % PEOPLE), same]
    late = list(range(500, 600))
    async with two(store, tmp_path) as (listener, other):
        hear(other, [missed, *early], "other")
        await holds(store, 1 + len(early))
        hear(listener, [*early, *late], "listener")
        await holds(store, 1 + len(early) + len(late))
    said = [missed, *early, *late]
    assert Counter(await stored(store)) == Counter(f"line {n}" for n in said)


async def test_a_line_that_another_stored_before_we_heard_it_is_not_stored_again(
    store: Store, tmp_path: Path
) -> None:
    async with two(store, tmp_path) as (listener, other):
        hear(other, (0, 2, 3), "other")
        await holds(store, 3)
        # The other one missed line 1; the listener's socket is behind what is stored already.
        hear(listener, (0, 1), "listener")
        await holds(store, 4)
        hear(listener, (2, 3, 4), "listener")
        await holds(store, 5)
    assert Counter(await stored(store)) == Counter(f"line {n}" for n in range(5))


async def test_words_said_again_after_a_time_away_are_another_line(
    store: Store, tmp_path: Path
) -> None:
    async with two(store, tmp_path) as (listener, other):
        hear(listener, (0,), "listener")
        hear(other, (0,), "other")
        await holds(store, 1)
        # The listener's connection is lost: the next line only the other one hears.
        hear(other, (0,), "other")
        await holds(store, 2)
        await listener.enter("irc", "#lobby")
        hear(listener, (0,), "listener")
        await holds(store, 3)
        hear(other, (0,), "other")
        hear(other, (1,), "other")
        await holds(store, 4)
    assert Counter(await stored(store)) == Counter({"line 0": 3, "line 1": 1})


async def test_what_another_heard_after_we_were_cut_off_is_not_what_we_had_heard(
    store: Store, tmp_path: Path
) -> None:
    """Its words said again at once, to who was back in the channel before us."""
    times = [NOON]
    one = ears(store, "one", tmp_path, lambda: times[-1])
    await one.enter("irc", "#lobby")
    heard_at = NOON + timedelta(seconds=1)
    one.heard(replace(line(0, "one"), heard_at=heard_at, said_at=heard_at))
    times.append(heard_at + timedelta(seconds=1.5))
    one.cut_off("irc", ["#lobby", "#nowhere"])
    again_at = heard_at + timedelta(seconds=1.9)
    async with store.writing() as unit:
        again = replace(line(0, "listener"), heard_at=again_at, said_at=again_at)
        await record.keep(unit, [again], 0, again_at)
    times.append(heard_at + timedelta(seconds=2.5))
    await one.enter("irc", "#lobby")
    assert await stored(store) == ["line 0", "line 0"]


async def test_a_line_stored_long_after_the_next_one_makes_nobody_store_that_one_again(
    store: Store, tmp_path: Path
) -> None:
    times = [NOON]
    one = ears(store, "one", tmp_path, lambda: times[-1])
    await one.enter("irc", "#lobby")
    hear(one, (1,), "one")
    one.heard(replace(line(2, "one"), heard_at=NOON + timedelta(seconds=3)))
    async with store.writing() as unit:
        heard_soon = replace(line(2, "other"), heard_at=NOON + timedelta(seconds=2))
        await record.keep(unit, [heard_soon], 0)
    times.append(LATER)
    working = asyncio.create_task(one.run())
    await holds(store, 2)
    assert await stored(store) == ["line 2", "line 1"]
    # Line 1 is old enough to be forgotten, and has the larger id; line 2 is still remembered.
    one.heard(replace(line(3, "one"), heard_at=NOON + timedelta(seconds=12)))
    times.append(NOON + timedelta(seconds=16))
    await holds(store, 3)
    async with store.writing() as unit:
        await record.keep(unit, [line(5, "other")], 3)
    one.heard(replace(line(4, "one"), heard_at=NOON + timedelta(seconds=12)))
    await holds(store, 5)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert Counter(await stored(store)) == Counter(f"line {n}" for n in (1, 2, 3, 4, 5))


async def test_words_said_before_we_came_and_stored_later_are_not_ours(
    store: Store, tmp_path: Path
) -> None:
    came = NOON + timedelta(seconds=1)
    times = [came]
    one = ears(store, "one", tmp_path, lambda: times[-1])
    await one.enter("irc", "#lobby")
    async with store.writing() as unit:
        await record.keep(unit, [line(0, "other")], 0)
    times.append(LATER)
    one.heard(replace(line(0, "one"), heard_at=came + timedelta(seconds=0.5)))
    working = asyncio.create_task(one.run())
    await holds(store, 2)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_a_line_that_the_listener_missed_is_stored_while_its_words_are_said_again(
    store: Store, tmp_path: Path
) -> None:
    """A later equal line, stored already, must not pass for the missing one."""
    times = [NOON]
    other = ears(store, "other", tmp_path, lambda: times[-1])
    await other.enter("irc", "#lobby")
    said = [NOON + timedelta(seconds=1 + 0.7 * n) for n in range(4)]
    async with store.writing() as unit:
        await leases.acquire(unit, "listener:irc:#lobby", "listener", now=NOON, ttl_s=60)
        for at in said[1:]:
            heard = replace(line(0, "listener"), heard_at=at, said_at=at)
            await record.keep(unit, [heard], 0, at)
    for at in said:
        other.heard(replace(line(0, "other"), heard_at=at, said_at=at))
    # The first one is overdue, and none of the others is.
    times.append(said[-1])
    working = asyncio.create_task(other.run())
    await holds(store, len(said))
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert len(await stored(store)) == len(said)


async def test_a_channel_that_is_gone_is_not_listened_to_for_ever(
    store: Store, tmp_path: Path
) -> None:
    moment = NOON
    one = ears(store, "secretary", tmp_path, lambda: moment)
    thread, lobby = "#lobby / a story", "#lobby"
    for channel in (thread, lobby):
        await one.volunteer("discord", channel)
    one.leave("discord", [thread, "#never-seen"])
    moment += timedelta(seconds=10)
    running = asyncio.create_task(one.run())

    async def renewed() -> bool:
        async with store.reading() as unit:
            held = await leases.current(unit, f"listener:discord:{lobby}", moment)
        return held is not None and held.expires_at > NOON + timedelta(seconds=20)

    async with asyncio.timeout(DEADLINE_S):
        while not await renewed():  # noqa: ASYNC110 - a row, not an event
            await asyncio.sleep(0.01)
    running.cancel()
    async with store.reading() as unit:
        later = NOON + timedelta(seconds=16)
        assert await leases.current(unit, f"listener:discord:{thread}", later) is None
        assert await leases.current(unit, f"listener:discord:{lobby}", later) is not None
    assert not one.listens("discord", thread)
