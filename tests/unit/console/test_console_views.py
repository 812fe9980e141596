"""What stands around the messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jinja2
import pytest

from bots.console import pages, swarm, views
from bots.console.model import Channel, Guild, Kind, Member, first_id
from bots.console.streams import Streams

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
    (group,) = views.channels(made)
    assert [(row.title, [t.title for t in row.threads]) for row in group.rows] == [
        ("lobby", ["first", "third"]),
        ("reports", ["second"]),
    ]


def test_what_waits_is_found_wherever_it_stands_and_is_counted_there() -> None:
    made = Guild(1, me=5)
    made.channels = {
        20: Channel(id=20, kind=Kind.TEXT, name="lobby"),
        31: Channel(id=31, kind=Kind.THREAD, name="plan", parent_id=20),
        34: Channel(id=34, kind=Kind.THREAD, name="asleep", parent_id=20, archived=True),
    }
    for place, key in ((34, 70), (20, 72), (31, 71), (20, 73)):
        made.channels[place].messages[key] = card(place, key)
    made.channels[20].messages[73]["components"] = []
    found = views.waiting(made, NOW)
    assert [int(one["id"]) for one in found] == [70, 71, 72]
    ((lobby,),) = (group.rows for group in views.channels(made, found))
    assert (lobby.waiting, [thread.waiting for thread in lobby.threads]) == (1, [1])
    assert views.waiting(made, NOW + timedelta(minutes=6)) == []


def card(place: int, key: int) -> dict[str, Any]:
    """An approval that waits for five minutes."""
    until = (NOW + timedelta(minutes=5)).isoformat()
    row = {"type": 1, "components": [{"type": 2, "custom_id": "yes", "label": "Yes"}]}
    embed = {"footer": {"text": "approval AP-7"}, "timestamp": until}
    return {"id": str(key), "channel_id": str(place), "embeds": [embed], "components": [row]}


def test_a_name_that_a_template_lacks_is_an_error_but_for_what_applications_send() -> None:
    with pytest.raises(jinja2.UndefinedError, match="swarm_name"):
        pages._templates.get_template("login.html").render(theme="", sentence="")
    sparse = [{"type": 1, "components": [{"type": 2}, {"type": 3}]}, {"type": 9}, {"type": 99}]
    shown = pages._of_others.get_template("components.html").render(
        items=sparse, message=7, choices=lambda _: [], marked=str
    )
    assert shown.count("<button") == shown.count("<select") == 1


def test_only_what_agents_say_of_themselves_after_the_kill_is_counted() -> None:
    made = Guild(1, me=5)
    lobby = made.channels[20] = Channel(id=20, kind=Kind.TEXT, name="lobby")

    def said(after_s: float, *, bot: bool = True, **more: object) -> None:
        key = first_id(NOW + timedelta(seconds=after_s))
        author = {"id": "6" if bot else "5", "bot": bot}
        lobby.messages[key] = {"id": str(key), "author": author, **more}
        lobby.last_message_id = max(lobby.last_message_id, key)

    said(-1)
    assert views.said_since(made, NOW) == 0
    said(1, bot=False)
    said(2, interaction_metadata={"name": "status"})
    assert views.said_since(made, NOW) == 0
    said(3)
    assert views.said_since(made, NOW) == 1


def agent(state: str, reason: str = "") -> swarm.Agent:
    return swarm.Agent(f"a{state}{reason}", state, reason, 5)


@pytest.mark.parametrize(
    ("agents", "down", "says"),
    [
        ([agent("ready"), agent("failed", "no key")], (), ""),
        ([agent("deaf", "not on IRC")], (), "1 agent: not on IRC"),
        ([agent("deaf", "no IRC"), agent("degraded", "no IRC")], (), "2 agents: no IRC"),
        ([agent("deaf", "x"), agent("hung", "y")], (), "2 agents degraded"),
        (
            [agent("degraded")],
            ("irc", "nats"),
            "irc is down; nats is down; 1 agent degraded",
        ),
    ],
)
def test_trouble_is_said_in_a_few_words(
    agents: list[swarm.Agent], down: tuple[str, ...], says: str
) -> None:
    found = swarm.Swarm(known=True, agents=tuple(agents), down=down)
    assert found.trouble == says
    assert swarm.Swarm(agents=tuple(agents), down=down).trouble == ""


def test_an_agent_is_resumed_alone_only_when_it_was_killed_alone() -> None:
    made = Guild(1, me=5)
    made.members = {6: Member(id=6, name="captain", bot=True, status="dnd")}

    def alone(*scopes: str) -> bool:
        latches = tuple(swarm.Latch(scope, "mara", "irc", "", "") for scope in scopes)
        agents = (swarm.Agent("captain", "killed", "", 5),)
        found = swarm.Swarm(known=True, agents=agents, latches=latches)
        ((row,),) = (group.rows for group in views.members(made, found, frozenset()))
        return row.alone

    assert alone("captain")
    assert not alone("captain", "all")
    assert not alone("auditor")


def test_only_the_swarms_agents_are_counted_on_to_hear() -> None:
    made = Guild(1, me=5)
    for key, name, status in (
        (6, "captain", "online"),
        (7, "music-bot", "online"),
        (8, "buyer", "dnd"),
        (9, "tech-lead", "idle"),
    ):
        made.members[key] = Member(id=key, name=name, bot=True, status=status)
    lobby = Channel(id=20, kind=Kind.TEXT, name="lobby")
    direct = Channel(id=21, kind=Kind.DM, recipients=(7,))
    agents = tuple(swarm.Agent(name, "ready") for name in ("captain", "buyer", "tech-lead"))
    found = swarm.Swarm(known=True, agents=agents)

    head = views.head(made, lobby, found)
    assert head["reach"] == "reaches 2 agents"
    assert [one.name for one in head["listening"]] == ["captain", "buyer", "tech-lead"]
    assert views.head(made, direct, found)["reach"] == "reaches no agent"
    # Before the supervisor has answered, nobody has said whose bot is whose.
    assert views.head(made, lobby, swarm.Swarm())["reach"] == "reaches 3 agents"


def test_a_page_that_asks_anew_ends_its_stream_before() -> None:
    streams = Streams()
    with streams.of("a") as first, streams.of("b") as other, streams.of("a") as second:
        assert (first.is_set(), other.is_set(), second.is_set()) == (True, False, False)
        streams.end()
        assert other.is_set()
        assert second.is_set()
        with streams.of("c") as late:
            assert late.is_set()
