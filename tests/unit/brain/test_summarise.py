"""Summaries of real lines: the tour's conversation, and a real day where it is at hand."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brain.conversations import Line, addressee, disentangle, is_question
from brain.summarise import Highlight, summarise
from brain.words import covers, stem, stems

DAY = datetime(2026, 11, 20, tzinfo=UTC)
REAL = Path(__file__).parents[4] / "shared/data/ubuntu-irc/2008-04-27.txt"
_SAID = re.compile(r"^\[(\d\d):(\d\d)\] (?:<(?P<nick>\S+)>| \* (?P<doer>\S+)) (?P<text>.*)$")


def lines_of(path: Path) -> list[Line]:
    found = [_SAID.match(raw) for raw in path.read_text(encoding="utf-8").splitlines()]
    return [
        Line(
            at=DAY + timedelta(hours=int(m[1]), minutes=int(m[2])),
            nick=m["nick"] or m["doer"],
            text=m["text"],
            id=number,
        )
        for number, m in enumerate(found, 1)
        if m
    ]


@pytest.fixture
def tour(prompts: Path) -> list[Line]:
    return lines_of(prompts / "tour" / "conversation.txt")


def test_the_tour_is_told_by_its_own_lines(tour: list[Line]) -> None:
    summary = summarise(tour, 5)
    assert summary is not None
    assert summary.lines == len(tour)
    assert dict(summary.people)["quill"] > 5
    assert {"nvidia driver", "playout box"} <= set(summary.topics)
    told = {(h.opening.nick, h.reply.nick if h.reply else "") for h in summary.highlights}
    assert ("marlow", "tobi") in told
    assert ("quill", "tobi") in told
    for highlight in summary.highlights:
        assert highlight.opening in tour
        assert highlight.reply is None or highlight.reply in tour


def test_an_answer_is_found_beside_its_question(tour: list[Line]) -> None:
    summary = summarise(tour, 5)
    assert summary is not None
    driver = next(h for h in summary.highlights if "nvidia" in h.opening.text)
    assert driver.reply is not None
    assert "470" in driver.reply.text


def test_who_says_that_it_worked_marks_it_solved() -> None:
    said = [
        "how do I mute the mixer?",
        "anna: press the red button twice",
        "ben: thanks, that worked",
    ]
    nicks = ["anna", "ben", "anna"]
    lines = _talk(list(zip(nicks, said, strict=True)))
    assert [h.solved for h in _highlights(lines)] == [True]
    doubted = [*lines[:2], Line(at=DAY, nick="anna", text="ben: that worked? not here")]
    assert [h.solved for h in _highlights(doubted)] == [False]


def test_two_conversations_through_each_other_are_told_apart() -> None:
    lines = _talk(
        [
            ("anna", "does anybody know why the printer prints only blank pages?"),
            ("carl", "how do I join two audio files without encoding them again?"),
            ("ben", "anna: the printer ribbon is dry, blank pages are typical for that"),
            ("dora", "carl: use the concat demuxer, it joins audio files without encoding"),
            ("anna", "ben: where do I buy a ribbon for this printer?"),
            ("carl", "dora: does concat keep the chapters?"),
        ]
    )
    assert [c.lines for c in disentangle(lines)] == [[0, 2, 4], [1, 3, 5]]
    assert len(_highlights(lines)) == 2


def test_nothing_said_is_no_summary() -> None:
    assert summarise([]) is None


def test_commands_to_robots_and_their_answers_are_not_shown() -> None:
    lines = _talk(
        [("anna", "!fact ribbon printer cartridge"), ("infobot", "ribbon printer cartridge is ink")]
    )
    assert _highlights(lines) == []


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("anna: hello", "anna"),
        ("Anna, hello", "anna"),
        ("@anna hello", "anna"),
        ("anna-> hello", "anna"),
        ("anna hello", "anna"),
        ("hello anna", None),
        ("will it rain", None),
        ("will: it rains", "will"),
        ("http://anna", None),
    ],
)
def test_the_addressed_person_stands_in_front(text: str, who: str | None) -> None:
    assert addressee(text, {"anna": "Anna", "will": "will"}) == who


@pytest.mark.parametrize(
    "text", ["really?", "how do I do it", "anna: anyone know this", "I'm having trouble"]
)
def test_questions_go_without_their_mark_too(text: str) -> None:
    assert is_question(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("drivers", "driver"),
        ("installed", "installing"),
        ("libraries", "library"),
        ("running", "run"),
        ("boxes", "box"),
    ],
)
def test_endings_do_not_matter(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_a_line_covers_words_in_any_ending() -> None:
    assert covers("the NVIDIA drivers crash", stems("nvidia driver"))
    assert covers("see http://example.org/compiz", stems("compiz"))
    assert not covers("the drivers crash", stems("nvidia driver"))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["anna", "ben", "carl", "infobot"]),
            st.text(max_size=60) | st.sampled_from(["anna: yes", "how?", "!x", "ben the box hums"]),
            st.integers(0, 5000),
        ),
        max_size=40,
    ),
    st.integers(1, 6),
)
@settings(max_examples=60)
def test_every_line_is_in_one_conversation_and_only_real_lines_are_shown(
    said: Sequence[tuple[str, str, int]], most: int
) -> None:
    at = DAY
    lines = []
    for number, (nick, text, pause_s) in enumerate(said):
        at += timedelta(seconds=pause_s)
        lines.append(Line(at=at, nick=nick, text=text, id=number))
    placed = sorted(i for c in disentangle(lines) for i in c.lines)
    assert placed == list(range(len(lines)))
    summary = summarise(lines, most)
    assert (summary is None) == (not lines)
    if summary is not None:
        assert len(summary.highlights) <= most
        assert all(h.opening in lines for h in summary.highlights)
        assert all(h.reply is None or h.reply.at >= h.opening.at for h in summary.highlights)


@pytest.mark.skipif(not REAL.exists(), reason="the real logs are not on this machine")
def test_a_real_day_is_summarised_in_its_own_words_and_soon() -> None:
    lines = lines_of(REAL)
    began_s = time.process_time()
    summary = summarise(lines, 5)
    took_s = time.process_time() - began_s
    assert summary is not None
    # Ten times what it takes, so that only a change of order shows, not a busy machine.
    assert took_s < 1.5
    assert len(summary.highlights) == 5
    assert all(h.reply is not None and h.lines >= 5 for h in summary.highlights)
    assert "nvidia drivers" in summary.topics


def _talk(said: Sequence[tuple[str, str]]) -> list[Line]:
    return [
        Line(at=DAY + timedelta(seconds=20 * n), nick=nick, text=text, id=n)
        for n, (nick, text) in enumerate(said)
    ]


def _highlights(lines: Sequence[Line]) -> list[Highlight]:
    summary = summarise(lines)
    assert summary is not None
    return list(summary.highlights)
