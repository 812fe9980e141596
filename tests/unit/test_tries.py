"""An inbox row remembers how often its line was tried, and when it is enough."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bots.answering.tries import Tries

NUMBERS = st.integers(min_value=0, max_value=1_000)


@given(deaths=NUMBERS, faults=NUMBERS)
def test_what_a_note_tells_is_what_was_noted(deaths: int, faults: int) -> None:
    tries = Tries(deaths, faults)
    assert Tries.told(tries.note) == tries
    assert Tries.told("", "handed to rook", tries.note, Tries().note) == tries


@given(note=st.text())
def test_other_notes_tell_of_no_try(note: str) -> None:
    assert Tries.told(note) == Tries()


def test_the_last_try_is_made_alone_then_it_is_told_then_it_is_left() -> None:
    states = [
        (t.make_suspect, t.are_enough, t.are_too_many) for t in (Tries(faults=n) for n in range(5))
    ]
    assert states == [
        (False, False, False),
        (False, False, False),
        (True, False, False),
        (True, True, False),
        (True, True, True),
    ]
    assert not Tries(deaths=4).are_enough
    assert Tries(deaths=5).are_enough
    assert not Tries(deaths=5).are_too_many
    assert Tries(deaths=6).are_too_many
