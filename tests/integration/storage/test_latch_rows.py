"""The latch as a row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from storage import latch
from storage.latch import Latch
from storage.store import Store

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KILL = Latch("all", True, "ann", "irc", "too loud", NOON)


async def test_the_newer_change_wins_whatever_comes_last(store: Store) -> None:
    resume = replace(KILL, killed=False, by="bob", changed_at=NOON + timedelta(seconds=1))
    async with store.writing(durable=True) as unit:
        assert await latch.read_rows(unit) == {}
        assert await latch.write_row(unit, KILL) is True
        assert await latch.write_row(unit, KILL) is False
        assert await latch.read_rows(unit) == {"all": KILL}
        assert await latch.write_row(unit, resume) is True
        assert await latch.write_row(unit, KILL) is False
        assert await latch.write_row(unit, replace(KILL, scope="captain")) is True
        rows = await latch.read_rows(unit)
    assert rows == {"all": resume, "captain": replace(KILL, scope="captain")}
    assert latch.verdict({}, rows, "captain") == rows["captain"]
    assert latch.verdict({}, rows, "auditor") is None
