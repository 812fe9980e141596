"""Alignment: what several listeners heard of one conversation is stored once."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.alignment import Line, Stay, StoredLine, align, missing
from storage.subsequence import longest_common_subsequence

Said = tuple[str, str]
SAID = st.tuples(st.sampled_from("AB"), st.sampled_from("xyz"))
TALK = st.lists(SAID, max_size=25)
#: every line differs from every other: what each agent heard of it can be told apart
DISTINCT = st.lists(st.sampled_from("AB"), max_size=20).map(
    lambda senders: [(sender, str(n)) for n, sender in enumerate(senders)]
)


def lines(said: list[Said], by: str = "other") -> list[Line]:
    return [Line(sender, text, by, n) for n, (sender, text) in enumerate(said)]


def rows(said: list[Line]) -> list[StoredLine]:
    return [StoredLine(100 + n, line) for n, line in enumerate(said)]


def store(record: list[Line], memory: list[Line]) -> None:
    """What `storage.record.keep` does with the positions."""
    record.extend(memory[index] for index in missing(memory, rows(record)))


@st.composite
def views(
    draw: st.DrawFn, talk: st.SearchStrategy[list[Said]], listeners: int
) -> tuple[list[Said], list[list[Line]]]:
    """A conversation, and what each listener heard of it: some lines, at its own times, each
    sender's in order but senders interleaved in its own way."""
    truth = draw(talk)
    heard = []
    for number in range(listeners):
        part = [said for said in truth if draw(st.booleans())]
        if draw(st.booleans()):
            part.sort(key=lambda said: said[0])
        heard.append(lines(part, by=f"agent-{number}"))
    return truth, heard


@given(TALK, st.data())
def test_a_subsequence_of_what_is_stored_misses_nothing(
    talk: list[Said], data: st.DataObject
) -> None:
    heard = [said for said in talk if data.draw(st.booleans())]
    found = align(lines(heard, "me"), rows(lines(talk)))
    assert None not in found
    assert len(set(found)) == len(found)


@given(TALK, TALK)
def test_a_match_says_the_same_and_is_given_once(heard: list[Said], stored: list[Said]) -> None:
    tail = rows(lines(stored))
    by_id = {row.id: row.line for row in tail}
    found = align(lines(heard, "me"), tail)
    matched = [row_id for row_id in found if row_id is not None]
    assert len(set(matched)) == len(matched)
    for (sender, text), row_id in zip(heard, found, strict=True):
        if row_id is not None:
            assert (by_id[row_id].sender, by_id[row_id].words) == (sender, text)


@given(views(TALK, 2))
def test_storing_what_is_missing_keeps_the_larger_number_of_equal_lines(
    seen: tuple[list[Said], list[list[Line]]],
) -> None:
    """Each line is there as often as any one listener heard it, and no more than were said."""
    truth, heard = seen
    record: list[Line] = []
    for memory in heard:
        store(record, memory)
    count = Counter((line.sender, line.words) for line in record)
    for memory in heard:
        own = Counter((line.sender, line.words) for line in memory)
        assert all(count[said] >= number for said, number in own.items())
    assert len(record) <= len(truth)


@given(views(DISTINCT, 3), st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20)), max_size=9))
def test_three_partial_views_in_any_order_store_each_line_once(
    seen: tuple[list[Said], list[list[Line]]], turns: list[tuple[int, int]]
) -> None:
    """However often each agent compares, and however far it has heard by then."""
    _, heard = seen
    record: list[Line] = []
    reached = [0, 0, 0]
    everything = [(agent, 20) for agent in (0, 1, 2, 0, 1, 2)]
    for agent, until in [*turns, *everything]:
        reached[agent] = max(reached[agent], until)
        store(record, heard[agent][: reached[agent]])
    said = Counter((line.sender, line.words) for line in record)
    assert said == Counter({(line.sender, line.words) for memory in heard for line in memory})


@given(views(TALK, 2))
def test_comparing_again_finds_everything(seen: tuple[list[Said], list[list[Line]]]) -> None:
    _, heard = seen
    record: list[Line] = []
    for memory in heard:
        store(record, memory)
    assert missing(heard[1], rows(record)) == []


def test_a_line_missed_in_the_middle_is_stored_once_though_it_comes_last() -> None:
    record = lines([("A", "a"), ("A", "c")], "first")
    memory = lines([("A", "a"), ("A", "b"), ("A", "c")], "second")
    third = lines([("A", "a"), ("A", "b"), ("A", "c")], "third")
    for one in (memory, memory, third, memory):
        store(record, one)
    assert [line.words for line in record] == ["a", "c", "b"]


def test_what_was_said_again_after_a_known_line_is_new() -> None:
    record = lines([("A", "yes"), ("A", "no")], "first")
    store(record, lines([("A", "no"), ("A", "yes")], "second"))
    assert [line.words for line in record] == ["yes", "no", "yes"]


def test_an_agents_own_rows_are_known_by_their_moment() -> None:
    """The first agent heard 'yes, no'; the second stored the 'yes' after it."""
    early, late = Line("A", "yes", "second", 1), Line("A", "yes", "second", 9)
    record = [*lines([("A", "yes"), ("A", "no")], "first"), late]
    assert missing([early, Line("A", "no", "second", 5), late], rows(record)) == []


@given(st.lists(st.integers(0, 3), max_size=12), st.lists(st.integers(0, 3), max_size=12))
def test_the_subsequence_is_as_long_as_the_textbook_says(a: list[int], b: list[int]) -> None:
    pairs = longest_common_subsequence(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(pairs))
    assert len(pairs) == textbook_length(a, b)


def textbook_length(a: list[int], b: list[int]) -> int:
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            both = table[i][j] + 1
            table[i + 1][j + 1] = both if x == y else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


@given(st.lists(st.integers(0, 2), max_size=12), st.lists(st.integers(0, 2), max_size=12))
def test_beyond_the_bound_the_match_still_keeps_order(a: list[int], b: list[int]) -> None:
    pairs = longest_common_subsequence(a, b, max_pairs=0)
    assert all(a[i] == b[j] for i, j in pairs)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(pairs))


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32))
def test_a_flood_is_aligned_in_bounded_work(seed: int) -> None:
    """Five thousand lines of one sender with four words: no quadratic table."""
    rng = random.Random(seed)
    truth = [("A", rng.choice("abcd")) for _ in range(5000)]
    heard = [said for said in truth if rng.random() > 0.05]
    began_s = time.process_time()
    align(lines(heard, "me"), rows(lines(truth)))
    assert time.process_time() - began_s < 5


def timed(by: str, *at_s: float) -> list[Line]:
    """The same line, heard by one agent at these seconds."""
    noon = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    return [Line("A", "hm", by, noon + timedelta(seconds=s)) for s in at_s]


def stopped(by: str, lag_s: float, *at_s: float) -> list[Line]:
    """As `timed`, read late by an agent that had not looked for `lag_s`."""
    return [replace(line, lag_s=lag_s) for line in timed(by, *at_s)]


def was_there(
    heard: list[Line], stored: list[Line], since_s: float = -9, until_s: float | None = None
) -> list[int | None]:
    since, until = (line.heard_at for line in timed("me", since_s, until_s or 0))
    assert isinstance(since, datetime)
    assert isinstance(until, datetime)
    return align(heard, rows(stored), stay=Stay(since, until if until_s is not None else None))


def test_who_was_there_takes_the_oldest_of_equal_lines_for_those_that_were_read_late() -> None:
    """The listener had been stopped and read two old lines late, when a third had come."""
    late = stopped("listener", 2.1, 2.1, 2.1)
    assert was_there(timed("me", 0, 1, 2.2), late) == [100, 101, None]


def test_who_was_there_finds_the_very_line_that_nobody_stored() -> None:
    """Else the next equal line is taken for missing, its row for one more, and another is lost."""
    heard = timed("me", 40.12, 40.72, 41.24, 42.48)
    assert was_there(heard, timed("listener", 40.74, 41.24, 42.48)) == [None, 100, 101, 102]


def test_a_line_that_may_be_older_than_our_coming_is_none_of_ours() -> None:
    """It was said before we came and read after: then the same is said again."""
    late = stopped("other", 3, 3)
    assert was_there(timed("me", 4), late, since_s=1) == [None]
    assert was_there(timed("me", 2.9), late, since_s=1) == [100]


def test_who_was_there_counts_rows_whose_clock_is_another() -> None:
    assert was_there(timed("me", 10, 11), timed("other", 13, 14)) == [100, 101]


def test_what_was_read_after_we_had_left_is_another_line() -> None:
    """The server died, another agent was back first, and there the same was said again."""
    assert was_there(timed("me", 7.28), timed("listener", 9.24)) == [100]
    assert was_there(timed("me", 7.28), timed("listener", 9.24), until_s=8.76) == [None]
    # Who had not looked may have read it before.
    late = stopped("listener", 2, 9.24)
    assert was_there(timed("me", 7.28), late, until_s=8.76) == [100]


def test_who_was_there_takes_no_row_for_a_line_that_is_too_far_off() -> None:
    assert was_there(timed("me", 60), timed("listener", 1)) == [None]
