"""Search finds the same lines on both databases, and raw text never breaks it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import record, search
from storage.record import NewLine
from storage.search import split
from storage.store import Store
from storage.tables import LineKind

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TALK = [
    ("alice", "which nvidia drivers work with hardy?"),
    ("bob", "the driver from the repository"),
    ("carol", "my coffee machine has no driver"),
    ("Bob|away", "NVIDIA is a company"),
    ("dave", "it's what's for dinner, the end"),
    ("erin", "naïve question: apt-get or aptitude?"),
]


def line(sender: str, text: str, at_s: float = 0, **more: Any) -> NewLine:
    at = NOON + timedelta(seconds=at_s)
    given: dict[str, Any] = {"network": "irc", "channel": "#ubuntu", "kind": LineKind.SAID}
    given |= {"said_at": at, "heard_at": at, "heard_by": "harvester", "trace_id": "t"}
    return NewLine(**given | {"sender": sender, "text": text} | more)


@pytest.fixture
async def talk(store: Store) -> Store:
    async with store.writing() as unit:
        lines = [line(sender, text, n * 60) for n, (sender, text) in enumerate(TALK)]
        lines.append(line("alice", "nvidia here too", 600, channel="#lobby"))
        lines.append(line("nvidia", "nvidia joins", 700, kind=LineKind.JOIN))
        lines.append(line("zed", "waves at nvidia", 800, kind=LineKind.ACTION))
        await record.keep(unit, lines, 0)
    return store


async def find(store: Store, words: str, **more: Any) -> list[str]:
    async with store.reading() as unit:
        return [found.text for found in await search.find(unit, words, **more)]


async def test_all_words_first_whatever_their_ending_and_case(talk: Store) -> None:
    assert await find(talk, "NVIDIA driver") == [TALK[0][1]]
    assert set(await find(talk, "drivers")) == {TALK[n][1] for n in (0, 1, 2)}


async def test_any_word_when_no_line_has_all(talk: Store) -> None:
    found = await find(talk, "who mentioned coffee dinners")
    assert set(found) == {TALK[2][1], TALK[4][1]}


async def test_a_rare_word_counts_for_more(talk: Store) -> None:
    async with talk.writing() as unit:
        lines = [line("zed", f"the end of round {n}", 2000 + n) for n in range(60)]
        await record.keep(unit, lines, 10**6)
    found = await find(talk, "the coffee of", limit=3)
    assert found[0] == TALK[2][1]


async def test_only_talk_is_found(talk: Store) -> None:
    assert await find(talk, "joins") == []
    assert await find(talk, "waves") == ["waves at nvidia"]
    assert await find(talk, "nvidia", kinds=[LineKind.ACTION]) == ["waves at nvidia"]


async def test_filters_narrow(talk: Store) -> None:
    assert await find(talk, "nvidia", channel="#lobby") == ["nvidia here too"]
    assert await find(talk, "nvidia", channel="#nowhere") == []
    assert await find(talk, "nvidia", sender="BOB|away") == [TALK[3][1]]
    assert await find(talk, "nvidia", sender="^^^") == []
    until = NOON + timedelta(seconds=60)
    assert await find(talk, "nvidia", until=until) == [TALK[0][1]]
    span = {"since": until, "until": NOON + timedelta(seconds=500)}
    assert await find(talk, "nvidia", **span) == [TALK[3][1]]
    assert await find(talk, "nvidia", **span, channel="#ubuntu") == [TALK[3][1]]
    assert await find(talk, "nvidia", since=NOON + timedelta(days=1)) == []
    assert len(await find(talk, "nvidia", limit=2)) == 2
    assert await find(talk, "nvidia", limit=0) == []


async def test_what_is_found_says_where_and_when(talk: Store) -> None:
    async with talk.reading() as unit:
        (found,) = await search.find(unit, "coffee")
    assert (found.network, found.channel, found.sender) == ("irc", "#ubuntu", "carol")
    assert (found.kind, found.said_at) == ("said", NOON + timedelta(seconds=120))
    assert found.rank > 0


async def test_a_changed_or_pruned_line_is_not_found_any_more(
    talk: Store, sql: Callable[[str], list[Any]]
) -> None:
    sql("UPDATE message SET text = 'tea' WHERE sender = 'carol'")
    assert await find(talk, "coffee") == []
    assert await find(talk, "tea") == ["tea"]
    async with talk.writing() as unit:
        await record.prune(unit, NOON + timedelta(seconds=3600))
    assert await find(talk, "nvidia tea driver") == []


@pytest.mark.parametrize(
    "words",
    ["what's", '"', "a OR", "NEAR(", "*", "text:nvidia", "-- x", "(((", "\0", "\ud800", "", "' ; "],
)
async def test_query_syntax_is_only_text(talk: Store, words: str) -> None:
    assert isinstance(await find(talk, words, sender=words or None), list)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(words=st.text(max_size=40), place=st.text(max_size=8))
async def test_no_text_breaks_it(talk: Store, words: str, place: str) -> None:
    assert isinstance(await find(talk, words, channel=f"#{place}", sender=place), list)


@given(st.text())
def test_words_are_few_and_have_letters_or_digits(text: str) -> None:
    words = split(text)
    assert len(words) <= search.MAX_WORDS
    assert len(set(words)) == len(words)
    assert all(any(map(str.isalnum, word)) for word in words)
