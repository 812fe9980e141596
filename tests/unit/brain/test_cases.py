"""What agents ask of people: complete, in bounds, and the same on the other side."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.cases import BadCase, Case, as_text, case_of, checked, deadline_of, from_text
from brain.money import Money
from storage.request import CASES

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=100).filter(str.strip)
sums = st.none() | st.builds(Money, st.integers(0, 10**15), st.just("EUR"))


@given(
    kind=st.sampled_from(CASES),
    title=words,
    reason=words,
    attempt=words,
    cost=sums,
    gain=sums,
    deadline=st.sampled_from(["", "2h", "3 days", "2026-11-30", "2026-12-01 08:00"]),
    sources=st.lists(words, max_size=8).map(tuple),
    patience=st.integers(0, 600),
)
def test_a_case_is_the_same_at_the_captains_desk(
    *,
    kind: object,
    title: str,
    reason: str,
    attempt: str,
    cost: Money | None,
    gain: Money | None,
    deadline: str,
    sources: tuple[str, ...],
    patience: int,
) -> None:
    case = Case(
        kind=kind,  # type: ignore[arg-type]
        title=title,
        reason=reason,
        attempt=attempt,
        cost=cost,
        gain=gain,
        deadline=deadline,
        sources=sources,
        reference="delegation:D-1",
        patience_s=patience,
    )
    try:
        checked(case, NOON)
    except BadCase:
        with pytest.raises(BadCase):
            from_text(as_text(case), NOON)
    else:
        assert from_text(as_text(case), NOON) == case


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.data())
def test_whatever_comes_instead_is_refused_in_words(data: st.DataObject) -> None:
    good = json.loads(as_text(Case(kind=CASES[0], title="a", reason="b", attempt="c")))
    key = data.draw(st.sampled_from(sorted(good)))
    text = json.dumps(good | {key: data.draw(json_values)})
    try:
        case = from_text(data.draw(st.sampled_from([text, text[:-1]])), NOON)
    except BadCase:
        return
    assert from_text(as_text(case), NOON) == case


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("2h", NOON + timedelta(hours=2)),
        ("in 45 minutes", NOON + timedelta(minutes=45)),
        ("3 days", NOON + timedelta(days=3)),
        ("2026-11-30", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-11-30 18:00", datetime(2026, 11, 30, 18, 0, tzinfo=UTC)),
        ("", None),
    ],
)
def test_deadlines_are_read(text: str, due: datetime | None) -> None:
    assert deadline_of(text, NOON) == due


@given(st.text(max_size=40))
def test_any_text_is_a_deadline_or_refused(text: str) -> None:
    try:
        due = deadline_of(text, NOON)
    except BadCase:
        return
    assert due is None or due.tzinfo is UTC


def test_people_call_kinds_by_more_than_one_name() -> None:
    for called, kind in (("API account", "account"), ("design_decision", "design")):
        made = case_of(called, "t", "r", "a", now=NOON)
        assert made.kind == kind


def test_two_currencies_are_one_too_many() -> None:
    with pytest.raises(BadCase, match="one currency"):
        case_of("payment", "t", "r", "a", cost="5 EUR", gain="$7", now=NOON)
