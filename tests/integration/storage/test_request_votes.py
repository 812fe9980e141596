"""Some questions take several people: each one's yes counts once, and one no is a no."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bots.control.requests import Requests, Undecidable, Voter
from bots.discord.cards import card
from bots.house_settings import ApprovalSettings
from storage import requests
from storage.requests import Approvers, NewRequest, Request
from storage.store import Store
from storage.tables import RequestState

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ALICE = Voter(name="alice", user="1", roles=("7",))
BOB = Voter(name="bob", user="2", roles=("7",))
EVE = Voter(name="eve", user="3")
NEW = NewRequest(
    agent="captain",
    kind="gate",
    subject="WF-1/approval",
    title="Release 2.4?",
    asked_by="WF-1",
    approvers=Approvers((), ("7",)),
    network="discord",
    channel="#ceo-office",
    quorum=2,
    expires_at=NOON + timedelta(minutes=30),
    trace_id="t1",
)


def asking(store: Store) -> Requests:
    return Requests(
        store=store,
        captain="captain",
        settings=ApprovalSettings(),
        operators=Approvers((), ("7",)),
        redact=str,
        clock=lambda: NOON,
    )


async def asked(store: Store, new: NewRequest = NEW) -> Request:
    async with store.writing() as unit:
        request = await requests.open_one(unit, new, NOON)
        await requests.note_shown(unit, request.id, RequestState.PENDING, "9")
    return request


async def test_the_last_yes_that_is_needed_decides(store: Store) -> None:
    request, people = await asked(store), asking(store)
    first = await people.decide(request.id, ALICE, approved=True)
    assert first.state is RequestState.PENDING
    assert first.shown == "", "the card is drawn again"
    assert "alice said yes: 1 of 2" in str(card(first))
    async with store.writing() as unit:
        # A card that was being drawn without that yes: it is to be drawn once more.
        await requests.note_shown(unit, request.id, RequestState.PENDING, "10")
    async with store.reading() as unit:
        assert [r.id for r in await requests.unshown(unit, "captain", "discord")] == [request.id]
    with pytest.raises(Undecidable, match="approved AP-1 already; it takes 2 people"):
        await people.decide(request.id, ALICE, approved=True)
    with pytest.raises(Undecidable, match="for the operators to decide"):
        await people.decide(request.id, EVE, approved=True)
    last = await people.decide(request.id, BOB, approved=True)
    assert (last.state, last.decided_by) == (RequestState.APPROVED, "alice and bob")
    with pytest.raises(Undecidable, match="AP-1 was approved by alice and bob at 12:00"):
        await people.decide(request.id, BOB, approved=True)


async def test_one_no_is_a_no_whoever_said_yes(store: Store) -> None:
    request, people = await asked(store), asking(store)
    await people.decide(request.id, ALICE, approved=True)
    over = await people.decide(request.id, BOB, approved=False, note="too early")
    assert (over.state, over.decided_by) == (RequestState.REJECTED, "bob")
    with pytest.raises(Undecidable, match="was rejected by bob at 12:00 UTC: too early"):
        await people.decide(request.id, BOB, approved=True)


async def test_two_who_say_yes_at_the_same_moment_are_two(store: Store) -> None:
    people = asking(store)
    for _ in range(5):
        request = await asked(store, replace(NEW, trace_id="t2"))
        both = [people.decide(request.id, who, approved=True) for who in (ALICE, BOB)]
        decided = await asyncio.gather(*both)
        assert [r.state for r in decided].count(RequestState.APPROVED) == 1
