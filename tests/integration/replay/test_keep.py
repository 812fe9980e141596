"""A log is stored under its own times, once however often it is replayed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bots.replay.keep import keep_log, lines_of
from bots.replay.parse import parse
from storage.record import NewLine, tail
from storage.store import Store
from tests.schema import give_schema

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path / 'parley.sqlite'}")
    await give_schema(store)
    yield store
    await store.close()


def _lines(texts: list[str]) -> list[NewLine]:
    return lines_of(
        parse(texts).events,
        network="irc",
        channel="#Lab",
        day=date(2008, 4, 27),
        now=NOW,
        trace_id="t",
    )


async def test_lines_carry_the_logs_own_time(store: Store) -> None:
    log = [
        "[23:59] <ann> late",
        "=== mode/#lab [+o ann]  by ChanServ",
        "=== ann is now known as ann2",
        "[00:01]  * ann2 yawns",
    ]
    stored = await keep_log(store, _lines(log), on_kept=lambda _: None)
    assert (stored.new, stored.known) == (3, 0)
    async with store.reading() as unit:
        rows = await tail(unit, "irc", "#lab", 10)
    assert [(r.sender, r.kind, r.text, r.said_at) for r in rows] == [
        ("ann", "said", "late", datetime(2008, 4, 27, 23, 59, tzinfo=UTC)),
        ("ann", "nick", "ann2", datetime(2008, 4, 27, 23, 59, tzinfo=UTC)),
        ("ann2", "action", "yawns", datetime(2008, 4, 28, 0, 1, tzinfo=UTC)),
    ]
    assert {r.heard_at for r in rows} == {NOW}


async def test_twice_stores_nothing_twice_and_equal_lines_stay(store: Store) -> None:
    lines = _lines([f"[10:{n // 20:02d}] <ann> hi" for n in range(450)])
    counts: list[int] = []
    assert (await keep_log(store, lines[:250], on_kept=counts.append)).new == 250
    again = await keep_log(store, lines, on_kept=counts.append)
    assert (again.new, again.known) == (200, 250)
    assert counts == [200, 250, 200, 400, 450]
    third = await keep_log(store, lines, on_kept=counts.append)
    assert (third.new, third.known) == (0, 450)


async def test_what_is_said_today_is_no_line_of_long_ago(store: Store) -> None:
    live = NewLine(
        network="irc",
        channel="#lab",
        sender="ann",
        kind="said",
        text="hi",
        said_at=NOW,
        heard_at=NOW,
        heard_by="captain",
        trace_id="live",
    )
    await keep_log(store, [live], on_kept=lambda _: None)
    stored = await keep_log(store, _lines(["[10:00] <ann> hi"]), on_kept=lambda _: None)
    assert stored.new == 1
