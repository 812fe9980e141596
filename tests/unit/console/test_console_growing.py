"""Which messages still grow, and how they are drawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots.console import growing, message_views, reducer, views
from bots.console.model import Change, Channel, Guild, Kind, Member, Payload, first_id
from bots.console.swarm import Agent, Swarm

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
LOBBY = Channel(id=20, kind=Kind.TEXT, name="lobby")
MORE, EDITED = '<span class="more">…</span>', '<span class="edited">(edited)</span>'


def said(content: str, *, ago_s: float = 1.0, bot: bool = True, **more: Any) -> Payload:
    at = NOW - timedelta(seconds=ago_s)
    return {
        "id": str(first_id(at)),
        "channel_id": "20",
        "author": {"id": "6" if bot else "5", "bot": bot},
        "content": content,
        "timestamp": at.isoformat(),
        **more,
    }


def guild(*messages: Payload) -> Guild:
    made = Guild(1, me=5)
    made.members = {5: Member(id=5, name="you"), 6: Member(id=6, name="captain", bot=True)}
    lobby = made.channels[20] = Channel(id=20, kind=Kind.TEXT, name="lobby")
    lobby.messages = {int(m["id"]): m for m in messages}
    return made


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("so far …", "so far"),
        ("…", ""),
        ("```py\na = 1 …\n```", "```py\na = 1\n```"),
        ("```\n…\n```", "```\n```"),
    ],
)
def test_an_agents_message_with_the_mark_at_its_end_grows(content: str, words: str) -> None:
    assert growing.grows(LOBBY, said(content), NOW)
    assert growing.without_mark(content) == words


@pytest.mark.parametrize(
    "one",
    [
        said("whole."),
        said("he said…"),
        said("dots … in between"),
        said("a person's …", bot=False),
        said("[offline brain] found “the mixer …"),
    ],
)
def test_other_messages_do_not(one: Payload) -> None:
    assert not growing.is_unfinished(one)


def test_what_was_cut_off_grows_no_more() -> None:
    one = said("so far …", ago_s=60)
    assert growing.is_unfinished(one)
    assert not growing.grows(LOBBY, one, NOW)
    assert growing.grows(
        LOBBY, one | {"edited_timestamp": (NOW - timedelta(seconds=2)).isoformat()}, NOW
    )
    assert not growing.grows(LOBBY, one | {"edited_timestamp": "never"}, NOW)


def test_who_says_something_else_has_left_what_was_begun() -> None:
    begun = said("so far …")
    made = guild(begun)
    lobby, place = made.channels[20], int(begun["id"])
    stopped = said("Stopped.", ago_s=0)
    changes = reducer.apply(made, "MESSAGE_CREATE", stopped, 0.0)
    assert Change("message", 20, place) in changes
    assert not growing.grows(lobby, begun, NOW)
    assert views.writing(made, lobby, 0.0, NOW) == []
    # It goes on after all, as after a word that a tool said meanwhile.
    reducer.apply(made, "MESSAGE_UPDATE", begun | {"content": "so far so …"}, 0.0)
    assert growing.grows(lobby, lobby.messages[place], NOW)


def drawn(one: Payload) -> message_views.MessageView:
    return message_views.message(guild(one), one, NOW)


def test_what_grows_is_not_called_edited_and_what_is_whole_is() -> None:
    edited: dict[str, Any] = {"edited_timestamp": NOW.isoformat()}
    assert drawn(said("so …", **edited)).html == f"<p>so{MORE}</p>"
    assert drawn(said("so …", **edited)).grows
    cut = said("so …", ago_s=60)
    assert (drawn(cut).html, drawn(cut).grows) == (f"<p>so{MORE}</p>", False)
    assert drawn(said("so it is", **edited)).html == f"<p>so it is{EDITED}</p>"
    assert drawn(said("a\n-# b", **edited)).html == f"<p>a</p><small>b{EDITED}</small>"
    assert drawn(said("```\na\n```", **edited)).html.endswith(f"</pre><p>{EDITED}</p>")
    assert drawn(said("so it is")).html == "<p>so it is</p>"
    # a message of files alone has no text that could be marked
    assert drawn(said("", **edited)).html == ""


def test_whose_answer_grows_is_writing_once() -> None:
    made = guild(said("one …"), said("two …", ago_s=3), said("I …", bot=False))
    lobby = made.channels[20]
    made.typing = {20: {6: 15.0}}
    assert [m.name for m in views.writing(made, lobby, 10.0, NOW)] == ["captain"]
    made.typing = {}
    assert [m.name for m in views.writing(made, lobby, 10.0, NOW)] == ["captain"]
    assert views.writing(made, lobby, 10.0, NOW + timedelta(seconds=60)) == []


@pytest.mark.parametrize(
    ("agent", "known", "about"),
    [
        (Agent("captain", "ready", "", 5, "first → offline"), True, "first → offline"),
        (Agent("captain", "ready", "", 5, "offline"), True, "offline brain"),
        (Agent("captain", "ready", "", 5), True, "ready"),
        (Agent("captain", "degraded", "no model", 5, "first"), True, "no model"),
        (Agent("captain", "starting", "", 5, "first"), True, "starting"),
        (Agent("captain", "ready", "", 5, "first"), False, "agent"),
    ],
)
def test_members_say_what_they_think_with(agent: Agent, known: bool, about: str) -> None:  # noqa: FBT001
    made = guild()
    made.members[6].status = "online"
    groups = views.members(made, Swarm(known=known, agents=(agent,)), frozenset())
    assert [row.about for group in groups for row in group.rows if row.face.bot] == [about]
