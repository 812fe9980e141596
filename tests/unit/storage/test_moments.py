"""Reading by time gives a person's lines in the order in which they were said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from storage.moments import Moment, in_sequence

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def at(ms: float) -> datetime:
    return NOON + timedelta(milliseconds=ms)


def test_a_line_whose_stamp_is_too_early_follows_the_stored_one_before_it() -> None:
    moments = [Moment("alice", at(5), is_stored=True), Moment("alice", at(4))]
    assert in_sequence(moments) == [at(5), at(5)]


def test_a_line_whose_stamp_is_too_late_goes_before_the_stored_one_after_it() -> None:
    moments = [Moment("alice", at(6)), Moment("alice", at(5), is_stored=True)]
    assert in_sequence(moments) == [at(4.999), at(5)]


def test_stamps_that_agree_and_other_peoples_lines_change_nothing() -> None:
    moments = [
        Moment("alice", at(1)),
        Moment("bob", at(9), is_stored=True),
        Moment("alice", at(1)),
        Moment("alice", at(2)),
        Moment("bob", at(3), is_stored=True),
    ]
    assert in_sequence(moments) == [m.said_at for m in moments]


@given(
    skews=st.lists(st.integers(0, 2000), max_size=30),
    stored=st.lists(st.booleans(), max_size=30),
    senders=st.lists(st.sampled_from("ab"), max_size=30),
)
def test_whoever_stored_what_each_senders_lines_keep_their_order(
    skews: list[int], stored: list[bool], senders: list[str]
) -> None:
    """Stored rows are true and lie 100 ms apart; fresh ones are stamped up to 2 s late."""
    moments = [
        Moment(sender, at(i * 100 + (0 if is_stored else skew)), is_stored=is_stored)
        for i, (sender, is_stored, skew) in enumerate(zip(senders, stored, skews, strict=False))
    ]
    said = in_sequence(moments)
    # Fresh lines get larger ids than stored ones, in the order heard.
    order = sorted(range(len(moments)), key=lambda i: (said[i], not moments[i].is_stored, i))
    for sender in "ab":
        told = [i for i in order if moments[i].sender == sender]
        assert told == sorted(told)
    for before, after in zip(moments, said, strict=True):
        assert not before.is_stored or before.said_at == after
