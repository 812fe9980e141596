"""Answers in messages that Discord takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.discord.splitting import MESSAGE_CHARACTERS, parts_to_nobody, split_message
from bots.hearing.gate import addressees

WORDS = st.lists(st.text("abcdefghij,.", min_size=1, max_size=12), min_size=1, max_size=40)
PARAGRAPH = WORDS.map(" ".join)
LANGUAGE = st.sampled_from(["", "python", "c++", "json"])
CODE = st.tuples(LANGUAGE, st.lists(PARAGRAPH, min_size=1, max_size=12)).map(
    lambda block: f"```{block[0]}\n" + "\n".join(block[1]) + "\n```"
)
DOCUMENT = st.lists(PARAGRAPH | CODE, max_size=8).map("\n\n".join)
LIMITS = st.integers(64, 400)


def _said(text: str) -> str:
    """What is left when fences, their languages and blanks are taken away."""
    return re.sub(r"\s", "", re.sub(r"```[A-Za-z0-9_+\-.#]*(?:\n|$)", "", text))


def _is_balanced(part: str) -> bool:
    return len(re.findall("```", part)) % 2 == 0


@given(DOCUMENT, LIMITS)
def test_nothing_of_an_answer_is_lost_or_doubled(text: str, limit: int) -> None:
    parts = split_message(text, limit)
    assert "".join(_said(part) for part in parts) == _said(text)


@given(st.text("ab `\n\r\0", max_size=600) | DOCUMENT, LIMITS)
def test_every_part_fits_says_something_and_closes_its_blocks(text: str, limit: int) -> None:
    for part in split_message(text, limit):
        assert 0 < len(part) <= limit
        assert part.strip()
        assert _is_balanced(part)


@given(DOCUMENT, DOCUMENT, LIMITS)
def test_what_grows_at_its_end_leaves_its_first_parts_alone(
    text: str, more: str, limit: int
) -> None:
    before, after = split_message(text, limit), split_message(f"{text} {more}", limit)
    assert after[: max(0, len(before) - 1)] == before[:-1]


@given(st.text(max_size=64))
def test_what_fits_stays_one_message(text: str) -> None:
    if "```" not in text:
        whole = text.replace("\r\n", "\n").replace("\0", "").strip()
        assert split_message(text) == ([whole] if whole else [])


def test_a_cut_code_block_is_opened_again_in_its_language() -> None:
    code = "\n".join(f"print({n})" for n in range(40))
    parts = split_message(f"```python\n{code}\n```", 200)
    assert len(parts) > 1
    assert all(part.startswith("```python\n") and part.endswith("\n```") for part in parts)


def test_a_block_that_would_be_cut_late_goes_whole_into_the_next_part() -> None:
    parts = split_message("word " * 30 + "\n```\nx = 1\ny = 2\n```", 160)
    assert parts[1] == "```\nx = 1\ny = 2\n```"


def test_paragraphs_are_better_borders_than_words() -> None:
    parts = split_message("a" * 60 + "\n\n" + "b " * 40, 100)
    assert parts[0] == "a" * 60


def test_three_thousand_characters_without_a_blank_are_two_messages() -> None:
    assert [len(p) for p in split_message("x" * 3_000)] == [1_996, 1_004]


def test_a_limit_without_room_for_fences_is_refused() -> None:
    with pytest.raises(ValueError, match="no room"):
        split_message("hello", 10)


@given(st.lists(st.sampled_from(["auditor: look", "word", "x" * 700, "\n"]), max_size=40))
def test_a_cut_calls_nobody(words: list[str]) -> None:
    def calls(part: str) -> bool:
        return bool(addressees(part, {"auditor": "auditor"}, by_agent=True).agents)

    text = "first " + " ".join(words)
    parts = parts_to_nobody(text, calls)
    assert not any(map(calls, parts))
    assert all(len(part) <= MESSAGE_CHARACTERS for part in parts)
    assert "".join(_said(p.replace("\N{BULLET} ", "")) for p in parts) == _said(text)


def test_what_calls_nobody_is_cut_as_ever() -> None:
    text = "word " * 900
    assert parts_to_nobody(text, lambda _: False) == split_message(text)
