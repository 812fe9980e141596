"""The layout of a guild: what is missing is added, in order, and a second run finds nothing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bots.discord.layout import (
    CATEGORY,
    TEXT,
    CreateCategory,
    CreateChannel,
    Move,
    Present,
    SetTopic,
    Step,
    Wanted,
    plan,
)

LOBBY = Present("1", TEXT, "lobby", "Say hello")
COMMAND = Present("2", CATEGORY, "Command")


def carried_out(present: Sequence[Present], steps: Sequence[Step]) -> list[Present]:
    """The guild after the steps, as Discord would have it."""
    numbers = itertools.count(1000)
    after = list(present)

    def below(category: str) -> str | None:
        if not category:
            return None
        ordered = sorted(after, key=lambda p: (p.position, p.id))
        return next(
            p.id for p in ordered if p.kind == CATEGORY and p.name.casefold() == category.casefold()
        )

    for step in steps:
        match step:
            case CreateCategory(name):
                after.append(Present(str(next(numbers)), CATEGORY, name, position=99))
            case CreateChannel(name, topic, category):
                made = Present(str(next(numbers)), TEXT, name, topic, below(category), 99)
                after.append(made)
            case Move(channel, _, category):
                after = [
                    replace(p, parent=below(category)) if p.id == channel else p for p in after
                ]
            case SetTopic(channel, _, topic):
                after = [replace(p, topic=topic) if p.id == channel else p for p in after]
    return after


def test_an_empty_guild_gets_its_categories_first_and_then_its_channels() -> None:
    wanted = [Wanted("lobby"), Wanted("ceo-office", "Decisions", "command")]
    assert plan(wanted, []).steps == (
        CreateCategory("command"),
        CreateChannel("lobby", "", ""),
        CreateChannel("ceo-office", "Decisions", "command"),
    )


def test_a_channel_is_moved_and_its_topic_set_but_never_made_anew() -> None:
    planned = plan([Wanted("lobby", "Everybody", "command")], [LOBBY, COMMAND])
    assert planned.steps == (Move("1", "lobby", "command"), SetTopic("1", "lobby", "Everybody"))
    assert [str(step) for step in planned.steps] == [
        "move #lobby below command",
        "set the topic of #lobby: Everybody",
    ]


def test_what_nobody_wishes_is_left_as_it_is() -> None:
    inside = replace(LOBBY, parent="2")
    planned = plan([Wanted("lobby")], [inside, COMMAND, Present("3", TEXT, "cats")])
    assert planned.steps == ()
    assert planned.strangers == ("#cats",)


def test_a_voice_channel_of_that_name_is_no_place_to_write() -> None:
    assert plan([Wanted("lobby")], [replace(LOBBY, kind=2)]).steps == (
        CreateChannel("lobby", "", ""),
    )


def test_an_announcement_channel_is() -> None:
    assert plan([Wanted("LOBBY")], [replace(LOBBY, kind=5)]).steps == ()


names = st.sampled_from(["lobby", "Lobby", "market", "cats", "ceo-office"])
categories = st.sampled_from(["", "command", "Command", "system"])
wishes = st.lists(st.builds(Wanted, names, st.sampled_from(["", "a", "b" * 1100]), categories))


@st.composite
def guilds(draw: st.DrawFn) -> list[Present]:
    heads = [
        Present(str(n), CATEGORY, name, position=draw(st.integers(0, 3)))
        for n, name in enumerate(draw(st.lists(categories.filter(bool), max_size=3)), 1)
    ]
    parents = st.sampled_from([None, *(h.id for h in heads)])
    return heads + [
        Present(str(n), kind, name, "a", draw(parents), draw(st.integers(0, 3)))
        for n, (kind, name) in enumerate(
            draw(st.lists(st.tuples(st.sampled_from([0, 2, 5]), names), max_size=5)), 100
        )
    ]


@given(wishes, guilds())
def test_after_the_steps_nothing_is_missing_and_nothing_is_gone(
    wanted: list[Wanted], present: list[Present]
) -> None:
    after = carried_out(present, plan(wanted, present).steps)
    if len({w.name.casefold() for w in wanted}) == len(wanted):
        assert plan(wanted, after).steps == ()
    assert {(p.id, p.kind, p.name) for p in present} <= {(p.id, p.kind, p.name) for p in after}
