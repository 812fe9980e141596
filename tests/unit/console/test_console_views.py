"""What stands around the messages."""

from __future__ import annotations

from datetime import UTC, datetime

from bots.console import views
from bots.console.model import Channel, Guild, Kind

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def test_threads_stand_below_their_channel_and_sleeping_ones_do_not() -> None:
    made = Guild(1, me=5)
    made.channels = {
        20: Channel(id=20, kind=Kind.TEXT, name="lobby", position=0),
        21: Channel(id=21, kind=Kind.TEXT, name="reports", position=1),
        33: Channel(id=33, kind=Kind.THREAD, name="third", parent_id=20),
        31: Channel(id=31, kind=Kind.THREAD, name="first", parent_id=20),
        32: Channel(id=32, kind=Kind.THREAD, name="second", parent_id=21),
        34: Channel(id=34, kind=Kind.THREAD, name="asleep", parent_id=20, archived=True),
    }
    (group,) = views.channels(made, NOW)
    assert [(row.title, [t.title for t in row.threads]) for row in group.rows] == [
        ("lobby", ["first", "third"]),
        ("reports", ["second"]),
    ]
