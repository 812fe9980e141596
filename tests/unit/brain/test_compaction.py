"""Earlier turns become shorter, in their own words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from brain.compaction import compacted

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
WORDS = st.text(max_size=300)


def turns(*pairs: tuple[str, str]) -> list[tuple[datetime, str, str, str]]:
    return [(AT + timedelta(minutes=i), "alice", q, a) for i, (q, a) in enumerate(pairs)]


def test_what_was_asked_stays_readable() -> None:
    digest = compacted(
        turns(
            ("who mentioned the mixer in the studio?", "bob said the mixer needs a new fuse"),
            ("what about the fuse of the mixer?", "carol has ordered a fuse for the mixer"),
            ("hello", "hello"),
        ),
        by="secretary",
    )
    assert digest.startswith("Earlier: 3 questions of alice")
    assert "mixer" in digest


def test_one_turn_is_short_enough() -> None:
    assert compacted(turns(("who?", "me")), by="secretary") == ""
    assert compacted([], by="secretary") == ""


@given(st.lists(st.tuples(WORDS, WORDS), max_size=30))
def test_it_is_never_long_and_says_nothing_that_nobody_said(pairs: list[tuple[str, str]]) -> None:
    digest = compacted(turns(*pairs), by="secretary")
    assert len(digest) <= 1_300
    assert bool(digest) == (len(pairs) >= 2)
