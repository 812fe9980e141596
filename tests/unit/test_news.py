"""What is new is shown once, and what is closed is shown alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bots.answering.news import MOST_CHANNELS, News

BORN = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return BORN + timedelta(minutes=minutes)


def _open(target: str) -> bool:
    return not target.startswith("d:#closed")


def news(*targets: str) -> News:
    made = News(BORN)
    made.sit_in(targets, BORN)
    return made


def test_what_was_said_before_its_birth_is_none() -> None:
    assert news("d:#a").new({"d:#a": at(-1)}, at(1)) == []
    [one] = news("d:#a").new({"d:#a": at(1)}, at(1))
    assert (one.target, one.after, one.newest) == ("d:#a", BORN, at(1))


def test_nor_is_what_was_said_before_it_came_to_a_channel() -> None:
    for said, is_new in ((at(9), False), (at(11), True)):
        made = news("d:#a")
        made.sit_in(["d:#a"], at(10))
        made.sit_in(["d:#a", "d:#b"], at(20))
        assert bool(made.new({"d:#b": said}, at(20))) is is_new


def test_what_is_not_looked_at_stays_new_and_what_is_quiet_ages() -> None:
    made = news("d:#a", "d:#b")
    assert made.new({"d:#a": at(1)}, at(60)) == made.new({"d:#a": at(1)}, at(61))
    assert made.since == BORN
    made.looked(made.new({"d:#a": at(1)}, at(61)), is_open=True, now=at(61))
    made.new({}, at(120))
    assert made.since == at(119), "no query reads more than it must, however old the process"


def test_a_channel_that_is_left_is_forgotten() -> None:
    made = news("d:#a", "d:#b")
    made.sit_in(["d:#b"], at(1))
    assert made.new({"d:#a": at(2)}, at(3)) == []


def test_no_look_shows_more_than_its_most_and_none_is_left_out() -> None:
    targets = [f"d:#{n}" for n in range(MOST_CHANNELS + 3)]
    made = news(*targets)
    spoken = {target: at(1) for target in targets}
    first = made.together(made.new(spoken, at(2)), _open)
    made.looked(first, is_open=True, now=at(2))
    second = made.together(made.new(spoken, at(3)), _open)
    assert (len(first), len(second)) == (MOST_CHANNELS, 3)
    assert {one.target for one in [*first, *second]} == {*targets}


_TARGETS = st.sampled_from(["d:#a", "d:#b", "i:#c", "d:#closed1", "d:#closed2"])


@given(st.lists(st.sets(_TARGETS), min_size=1, max_size=12))
def test_closed_channels_are_alone_and_everything_has_its_turn(rounds: list[set[str]]) -> None:
    targets = ["d:#a", "d:#b", "i:#c", "d:#closed1", "d:#closed2"]
    made = news(*targets)
    spoken: dict[str, datetime] = {}
    shown: dict[str, datetime] = {}
    quiet: list[set[str]] = [set(), set(), set()]
    for minute, talking in enumerate([*rounds, *quiet], start=1):
        spoken |= dict.fromkeys(talking, at(minute))
        made.sit_in(targets, at(minute))
        group = made.together(made.new(spoken, at(minute)), _open)
        if not group:
            continue
        closed = [one for one in group if not _open(one.target)]
        assert closed == [] or len(group) == 1
        made.looked(group, is_open=not closed, now=at(minute))
        shown |= {one.target: one.newest for one in group}
    # Three groups: three quiet rounds are enough for all of them.
    assert shown == spoken


@given(st.integers(1, 20))
def test_the_loudest_does_not_keep_the_others_waiting(rounds: int) -> None:
    targets = ["d:#a", "d:#closed1", "d:#closed2"]
    made = news(*targets)
    turns: list[str] = []
    for minute in range(1, 3 * rounds + 1):
        spoken = dict.fromkeys(targets, at(minute))
        group = made.together(made.new(spoken, at(minute)), _open)
        made.looked(group, is_open=_open(group[0].target), now=at(minute))
        turns.append(group[0].target)
    assert {turns.count(target) for target in targets} == {rounds}
