"""What a card shows, for any request whatever; and what its buttons mean."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.discord import cards
from bots.discord.cards import Press, Pressed
from storage.request import Approvers, Request, RequestKind
from storage.tables import RequestState

NOON = datetime(2026, 11, 20, 10, 58, tzinfo=UTC)
texts = st.text(max_size=3000)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    state = draw(st.sampled_from(RequestState))
    decided = None if state is RequestState.PENDING else NOON
    return Request(
        id=draw(st.integers(1, 10**9)),
        code="AP-118",
        agent="captain",
        kind=draw(st.sampled_from(RequestKind)),
        subject="secretary",
        title=draw(texts),
        facts=tuple(draw(st.lists(st.tuples(texts, texts), max_size=40))),
        reason=draw(texts),
        sources=tuple(draw(st.lists(texts, max_size=9))),
        attempt=draw(texts),
        currency="EUR",
        cost_micros=draw(st.none() | st.integers(0, 10**18)),
        return_micros=draw(st.none() | st.integers(0, 10**18)),
        asked_by=draw(texts),
        approvers=Approvers(("45",), ()),
        network="discord",
        channel="#ceo-office",
        message_id="9",
        shown="",
        state=state,
        created_at=NOON - timedelta(minutes=30),
        expires_at=NOON,
        decided_by=draw(texts),
        evidence={},
        decided_at=decided,
        note=draw(texts),
        outcome=draw(texts),
        paid_micros=draw(st.none() | st.integers(0, 10**18)),
        completed_by=draw(texts),
        completed_at=decided,
        trace_id="t",
    )


@given(requests())
def test_a_card_keeps_discords_limits_and_hides_nothing_behind_words(request: Request) -> None:
    card = cards.card(request)
    [embed] = card["embeds"]
    assert embed["footer"]["text"] == "approval AP-118"
    assert len(embed["title"]) <= 256
    assert 0 < len(embed["description"]) <= 4096
    assert len(embed["fields"]) <= 25
    for field in embed["fields"]:
        assert 1 <= len(field["name"]) <= 256
        assert 1 <= len(field["value"]) <= 1024
    told = (embed["title"], embed["description"], embed["footer"]["text"])
    fields = (f["name"] + f["value"] for f in embed["fields"])
    assert len("".join((*told, *fields))) <= 6000
    to_do = request.state is RequestState.APPROVED and request.is_by_hand
    assert bool(card["components"]) is (request.state is RequestState.PENDING or to_do)
    assert card["allowed_mentions"] == {"parse": []}
    strangers = [embed["title"], *(f["value"] for f in embed["fields"])]
    for text in strangers:
        assert not re.search(r"\]\(|<[@#:/at]|\|\||~~|```", text)


@pytest.mark.parametrize("press", Press)
@given(number=st.integers(1, 10**17))
def test_a_custom_id_means_what_it_was_made_for(press: Press, number: int) -> None:
    made = cards.custom_id(number, press)
    assert len(made) <= 100
    assert made.partition(":")[0] == cards.PREFIX
    assert cards.parse(made) == Pressed(number, press)


@given(st.text(max_size=60) | st.from_regex(r"parley:approval:\d*:[a-z]*\n?"))
def test_nothing_else_is_a_custom_id_of_ours(text: str) -> None:
    found = cards.parse(text)
    assert found is None or cards.custom_id(found.request_id, found.press) == text


@pytest.mark.parametrize(
    "components",
    [
        [{"type": 1, "components": [{"type": 4, "custom_id": "reason", "value": " no "}]}],
        [{"type": 18, "component": {"type": 4, "custom_id": "reason", "value": " no "}}],
    ],
)
def test_the_reason_is_read_from_rows_and_labels(components: list[dict[str, object]]) -> None:
    assert cards.given(components) == {"reason": "no"}
    assert not cards.given([{"type": 18, "component": {"custom_id": "other"}}, {}])
