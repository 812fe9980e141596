"""Every line of a log is accounted for, in order, with its time."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.replay.parse import Event, EventKind, parse

REAL = Path(__file__).parents[4] / "shared" / "data" / "ubuntu-irc"

LOG = r"""
=== early [n=e@host.example]  has joined #lab
[23:58] <ann>   two blanks in front
[23:58]  * bob nods
=== carl [~carl@host]  has left #lab ["see you"]
=== dora [~d@host]  has quit [Ping timeout]
=== ann is now known as ann_away
[23:59] -bob:#lab- a notice
=== mode/#lab [+o bob]  by ChanServ
=== ..[topic/#lab:bob] : The topic: with [brackets]
=== eve was kicked off #lab by bob (bob)
=== bob waves
[00:01] <bob> past midnight
[00:00] <bob> a clock set back
[12:00] <e[v]e\> odd nick
something else
""".lstrip("\n").splitlines()


def _of(number: int) -> Event:
    return next(event for event in parse(LOG).events if event.number == number)


@pytest.mark.parametrize(
    ("number", "kind", "nick", "text", "other"),
    [
        (1, "join", "early", "", ""),
        (2, "said", "ann", "  two blanks in front", ""),
        (3, "action", "bob", "nods", ""),
        (4, "part", "carl", "see you", ""),
        (5, "quit", "dora", "Ping timeout", ""),
        (6, "nick", "ann", "", "ann_away"),
        (7, "notice", "bob", "a notice", ""),
        (8, "mode", "ChanServ", "+o bob", ""),
        (9, "topic", "bob", "The topic: with [brackets]", ""),
        (10, "kick", "bob", "bob", "eve"),
        (11, "action", "bob", "waves", ""),
        (14, "said", "e[v]e\\", "odd nick", ""),
    ],
)
def test_each_form(number: int, kind: str, nick: str, text: str, other: str) -> None:
    event = _of(number)
    assert (event.kind.value, event.nick, event.text, event.other) == (kind, nick, text, other)


def test_time_runs_past_midnight_and_never_back() -> None:
    day = 24 * 60
    assert _of(1).minute == day - 2
    assert _of(11).minute == day - 1
    assert _of(12).minute == _of(13).minute == day + 1
    assert _of(14).minute == day + 12 * 60


def test_what_is_not_understood_is_named() -> None:
    (line,) = parse(LOG).unread
    assert (line.number, line.line) == (15, "something else")


@given(st.lists(st.text(max_size=60)))
def test_any_line_is_an_event_or_named_as_unread(lines: list[str]) -> None:
    log = parse(lines)
    numbers = [event.number for event in log.events] + [line.number for line in log.unread]
    assert sorted(numbers) == list(range(1, len(lines) + 1))
    minutes = [event.minute for event in log.events]
    assert minutes == sorted(minutes)


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared IRC logs are not beside this project")
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        (
            "2006-06-01",
            {"said": 1721, "join": 290, "part": 95, "mode": 22, "action": 21, "nick": 8},
        ),
        ("2007-06-04", {"said": 1377, "join": 433, "part": 75, "mode": 13, "nick": 7, "action": 5}),
        ("2008-04-27", {"said": 1939, "nick": 21, "action": 19}),
        ("2017-05-09", {"said": 1452, "nick": 41, "action": 7}),
        ("2018-02-27", {"said": 1398, "nick": 90, "action": 7, "notice": 5}),
    ],
)
def test_real_days_parse_whole(name: str, counts: dict[str, int]) -> None:
    lines = (REAL / f"{name}.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    log = parse(lines)
    assert log.unread == ()
    found = Counter(event.kind.value for event in log.events)
    assert {kind: found[kind] for kind in counts} == counts
    rare = found.keys() - counts.keys()
    assert rare <= {EventKind.TOPIC.value, EventKind.KICK.value}
    assert sum(found.values()) == len(lines)
