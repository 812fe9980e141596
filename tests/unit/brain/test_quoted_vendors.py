"""What a provider says is shown in one short line, and no key is in it, whoever's it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.models.provider import Key
from brain.models.quoting import LONGEST_QUOTE, can_be_sent, quoted

KEY = Key(name="env:ONE", value="house-4711")


@pytest.mark.parametrize(
    "key",
    [
        "sk-ab12",
        "sk-ant-api03-****…wxyz",
        "sk-proj-abc*****xyz",
        "gsk_0123456789",
        "pk_live_012345",
        "key-0123456789",
        "Bearer abcdef0123",
        "bearer abcdef0123",
        "house-4711",
    ],
)
def test_no_key_is_shown(key: str) -> None:
    shown = quoted(f"Incorrect API key provided: {key}. Find yours elsewhere", KEY)
    assert key not in shown
    assert shown.startswith("Incorrect API key provided: [key]")


@pytest.mark.parametrize(
    "words", ["the key is wrong", "no credit left", "ask sk or pk", "Incorrect API key provided"]
)
def test_words_about_keys_are_none(words: str) -> None:
    assert quoted(words, None) == words


@given(st.text(max_size=900))
def test_it_is_one_short_line(words: str) -> None:
    shown = quoted(words, Key(name="k", value=""))
    assert len(shown) <= LONGEST_QUOTE
    assert not shown or shown.isprintable()


@pytest.mark.parametrize("value", ["", "two words", "line\n", "schlüssel", "\x7f"])
def test_what_no_header_takes_is_no_key(value: str) -> None:
    assert not can_be_sent(Key(name="k", value=value))
    assert can_be_sent(KEY)
