"""The latch as a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from storage import latch
from storage.latch import Latch
from storage.store import Store

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KILL = Latch("all", True, "ann", "irc", "too loud", NOON)


async def test_whoever_writes_last_counts_whatever_the_clocks_say(store: Store) -> None:
    resume = replace(KILL, killed=False, by="bob", changed_at=NOON + timedelta(hours=1))
    async with store.writing(durable=True) as unit:
        assert await latch.read_rows(unit) == {}
        await latch.write_row(unit, resume)
        await latch.write_row(unit, KILL)
        await latch.write_row(unit, replace(KILL, scope="captain", killed=False))
        rows = await latch.read_rows(unit)
    assert rows["all"] == KILL
    assert latch.verdict({}, rows, "captain") == KILL
    assert latch.verdict({}, {"captain": rows["captain"]}, "captain") is None
