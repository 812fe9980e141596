from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.irc.splitting import split_text

limits = st.integers(min_value=4, max_value=60)


@given(st.text(), limits)
def test_no_part_is_empty_or_too_long_or_carries_a_border(text: str, limit: int) -> None:
    for part in split_text(text, limit):
        assert part.strip()
        assert len(part.encode()) <= limit
        assert not set(part) & set("\r\n\0")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")), limits)
def test_nothing_but_blanks_gets_lost(text: str, limit: int) -> None:
    assert re.sub(r"\s", "", "".join(split_text(text, limit))) == re.sub(r"\s", "", text)


@given(st.lists(st.text("abcé日", min_size=1, max_size=5), min_size=1), st.integers(15, 60))
def test_words_that_fit_stay_whole(words: list[str], limit: int) -> None:
    assert " ".join(split_text(" ".join(words), limit)).split(" ") == words


def test_newlines_stay_borders_and_blank_lines_vanish() -> None:
    assert split_text("one\r\n\r\n  two\rthree\n \n", 100) == ["one", "  two", "three"]


def test_a_word_longer_than_a_line_is_cut_between_characters() -> None:
    assert split_text("日本語", 7) == ["日本", "語"]


def test_a_lone_surrogate_is_replaced() -> None:
    assert split_text("a\ud800b", 10) == ["a?b"]


def test_a_limit_below_one_character_is_refused() -> None:
    with pytest.raises(ValueError, match="3 bytes"):
        split_text("x", 3)
