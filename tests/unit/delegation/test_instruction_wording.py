"""Where an instruction wants its result, by its own words; and how long to rest between tries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.delegation.retrying import wait_s
from brain.delegation.wording import destination_of


@pytest.mark.parametrize(
    ("words", "rest", "place"),
    [
        ("summarise #ubuntu and post it to #reports", "summarise #ubuntu", "#reports"),
        ("do that, then send the summary to irc:#reports.", "do that", "irc:#reports"),
        ("count and then publish the results in &local", "count", "&local"),
        ("say who knows and post to #b", "say who knows", "#b"),
    ],
)
def test_the_last_words_name_a_channel(words: str, rest: str, place: str) -> None:
    assert destination_of(words) == (rest, place)


@pytest.mark.parametrize(
    "words",
    [
        "post it to #reports",
        "what is said in #ubuntu and #reports",
        "tell me who may post to #reports and why",
        "and post it to #x",
    ],
)
def test_other_words_do_not(words: str) -> None:
    assert destination_of(words) == (words, "")


@given(st.text(max_size=200))
def test_nothing_is_lost_but_the_last_words(words: str) -> None:
    rest, place = destination_of(words)
    assert words.startswith(rest)
    assert place in words


def test_tries_rest_longer_and_longer() -> None:
    assert [wait_s(n) for n in (1, 2, 3)] == [2, 8, 32]
    assert wait_s(50) == 300
