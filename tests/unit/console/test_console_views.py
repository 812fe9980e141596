"""What stands around the messages."""

from __future__ import annotations

from datetime import UTC, datetime

import jinja2
import pytest

from bots.console import pages, views
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


def test_a_name_that_a_template_lacks_is_an_error_but_for_what_applications_send() -> None:
    with pytest.raises(jinja2.UndefinedError, match="swarm_name"):
        pages._templates.get_template("login.html").render(theme="", sentence="")
    sparse = [{"type": 1, "components": [{"type": 2}, {"type": 3}]}, {"type": 9}, {"type": 99}]
    shown = pages._of_others.get_template("components.html").render(
        items=sparse, message=7, choices=lambda _: [], marked=str
    )
    assert shown.count("<button") == shown.count("<select") == 1
