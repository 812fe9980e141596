"""Where people spoke to nobody in particular, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage import agents, record
from storage.record import NewLine, Owed
from storage.store import Store
from storage.tables import LineKind

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def line(minutes: float, channel: str = "#lobby", **more: Any) -> NewLine:
    said_at = NOW + timedelta(minutes=minutes)
    given: dict[str, Any] = {"network": "irc", "sender": "ada", "kind": LineKind.SAID}
    return NewLine(
        channel=channel,
        text=f"line {minutes}",
        said_at=said_at,
        heard_at=said_at,
        heard_by="captain",
        msgid=f"{channel}{minutes}{more}",
        trace_id="t",
        **(given | more),
    )


async def spoken(store: Store, *lines: NewLine) -> dict[tuple[str, str], datetime]:
    async with store.writing() as unit:
        await agents.enrol(unit, "rook", "rook", NOW)
        for one in lines:
            await record.keep_new(unit, one)
    return await store.read(lambda unit: record.spoken(unit, NOW))


async def test_the_newest_moment_of_each_channel_after_then(store: Store) -> None:
    found = await spoken(
        store,
        line(0),
        line(3),
        line(1),
        line(-1, "#old"),
        line(2, "#market", kind=LineKind.ACTION),
        line(4, "#market", network="discord"),
    )
    assert found == {
        ("irc", "#lobby"): NOW + timedelta(minutes=3),
        ("irc", "#market"): NOW + timedelta(minutes=2),
        ("discord", "#market"): NOW + timedelta(minutes=4),
    }
    assert all(at.tzinfo is not None for at in found.values())


@pytest.mark.parametrize(
    "more",
    [
        {"agent": "rook"},
        {"hops": 1},
        {"kind": LineKind.NOTICE},
        {"kind": LineKind.JOIN},
        {"owed": (Owed("rook", "irc:#lobby", 30),)},
    ],
)
async def test_what_is_no_persons_word_to_everybody_is_left_out(
    store: Store, more: dict[str, Any]
) -> None:
    assert await spoken(store, line(1, **more)) == {}
