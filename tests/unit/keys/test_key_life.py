"""Whatever happens to the keys of one owner: never two that sign, and a revoked one is dead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.key_life import LIFE, OVERLAP, KeyState, Life

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
#: what may happen, and how long after what happened before
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["rotate", "revoke newest", "revoke oldest", "nothing"]),
        st.timedeltas(timedelta(0), timedelta(days=100)),
    ),
    max_size=12,
)


def rotated(lives: list[Life], now: datetime) -> list[Life]:
    """As `storage.keys.add` has it: the one that signed retires, the new one signs."""
    before = [
        replace(one, retiring_at=now + OVERLAP)
        if one.retiring_at is None and one.revoked_at is None
        else one
        for one in lives
    ]
    return [*before, Life(created_at=now, expires_at=now + LIFE)]


def revoked(lives: list[Life], which: int, now: datetime) -> list[Life]:
    return [
        replace(one, revoked_at=one.revoked_at or now) if n == which % len(lives) else one
        for n, one in enumerate(lives)
    ]


@given(STEPS, st.timedeltas(timedelta(0), timedelta(days=200)))
def test_never_two_that_sign_and_a_revoked_one_never_verifies(
    steps: list[tuple[str, timedelta]], later: timedelta
) -> None:
    now = NOON
    lives = rotated([], now)
    for what, after in steps:
        now += after
        if what == "rotate":
            lives = rotated(lives, now)
        elif what != "nothing":
            lives = revoked(lives, -1 if what == "revoke newest" else 0, now)
        for at in (now, now + later):
            states = [one.state(at) for one in lives]
            assert states.count(KeyState.SIGNS) <= 1
            for one, state in zip(lives, states, strict=True):
                assert (state is KeyState.REVOKED) == (one.revoked_at is not None)
                assert one.may_verify(at) == (one.why_not(at) == "")
                assert not (one.revoked_at and one.may_verify(at))
                assert not (at >= one.expires_at and one.may_verify(at))


@given(
    st.timedeltas(timedelta(0), LIFE - OVERLAP - timedelta(seconds=1)),
    st.timedeltas(timedelta(0), OVERLAP - timedelta(microseconds=1)),
)
def test_in_the_overlap_both_verify_and_after_it_the_new_one(
    age: timedelta, inside: timedelta
) -> None:
    begun = NOON + age
    old, new = rotated(rotated([], NOON), begun)
    assert old.state(begun + inside) is KeyState.VERIFIES
    assert new.state(begun + inside) is KeyState.SIGNS
    assert old.state(begun + OVERLAP) is KeyState.EXPIRED
    assert new.may_verify(begun + OVERLAP)


def test_an_overlap_makes_no_key_live_longer() -> None:
    begun = NOON + LIFE - timedelta(hours=1)
    old, _ = rotated(rotated([], NOON), begun)
    assert old.ends_at == NOON + LIFE
    assert not old.may_verify(NOON + LIFE)


@pytest.mark.parametrize(("days", "near"), [(0, False), (82, False), (83, True), (89.9, True)])
def test_a_week_before_its_end_it_is_near(days: float, near: bool) -> None:  # noqa: FBT001
    life = Life(created_at=NOON, expires_at=NOON + LIFE)
    assert life.is_near_its_end(NOON + timedelta(days=days), timedelta(days=7)) is near


def test_what_has_a_successor_or_is_over_needs_no_other() -> None:
    near = NOON + LIFE - timedelta(days=1)
    life = Life(created_at=NOON, expires_at=NOON + LIFE)
    week = timedelta(days=7)
    assert not replace(life, retiring_at=near + OVERLAP).is_near_its_end(near, week)
    assert not replace(life, revoked_at=near).is_near_its_end(near, week)
    assert not life.is_near_its_end(NOON + LIFE, week)


def test_why_says_what_ended_it() -> None:
    life = Life(created_at=NOON, expires_at=NOON + LIFE)
    gone = replace(life, revoked_at=NOON, retiring_at=NOON)
    assert gone.why_not(NOON) == "was revoked at 2026-11-20 12:00 UTC"
    assert "good until 2026-11-20 12:00 UTC" in replace(life, retiring_at=NOON).why_not(NOON)
    assert life.why_not(NOON + LIFE) == "expired at 2027-02-18 12:00 UTC"
