"""The answer goes back to where the question came from, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bots.control.request_words import facts_of
from bots.people.telling import order_of
from bots.people.turn import reference_of
from storage.delegation_tables import Delegation
from storage.request import Approvers, Request, RequestKind
from storage.tables import RequestState

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
REJECTED = Request(
    id=5,
    code="AP-5",
    agent="captain",
    kind=RequestKind.DESIGN,
    subject="Blue?",
    title="Blue?",
    facts=(),
    asked_by="buyer",
    waiter="buyer",
    approvers=Approvers(),
    network="discord",
    channel="#ceo-office",
    message_id=None,
    shown="",
    state=RequestState.REJECTED,
    created_at=NOON,
    expires_at=NOON,
    decided_by="you",
    evidence={},
    decided_at=NOON,
    note="green",
    outcome="",
    trace_id="t",
)


@dataclass
class Talk:
    """As much of a matter as says where it was said."""

    network: str
    channel: str
    sender: str = "alice"
    account: str | None = None
    delegation: Delegation | None = None


@pytest.mark.parametrize(
    ("matter", "reference", "bound_to", "said_in", "shown"),
    [
        (Talk("irc", "#lobby"), "irc:#lobby", "#lobby", "irc:#lobby", "#lobby"),
        (
            Talk("discord", "#lobby / buyer: blue?", account="45"),
            *("discord:#lobby", "#lobby", "discord:#lobby", "#lobby"),
        ),
        (
            Talk("discord", "nick:buyer", account="45"),
            *("discord:user:45", "nick:45", "discord:user:45", "talk in private"),
        ),
        # Who has that nick when the answer comes may be somebody else.
        (Talk("irc", "nick:buyer"), "irc:nick:alice", "nick:alice", "", "talk in private"),
    ],
)
def test_talk_is_answered_where_it_was(
    matter: Talk, reference: str, bound_to: str, said_in: str, shown: str
) -> None:
    assert reference_of(cast("Any", matter)) == reference
    request = replace(REJECTED, reference=reference)
    order = order_of(request, None)
    assert (order.to, order.network, order.channel) == ("buyer", matter.network, bound_to)
    assert order.deliver_to == said_in
    assert "AP-5 was rejected by you: green." in order.instruction
    assert not order.may_name_place
    assert dict(facts_of(request))["Waits"] == shown


def test_a_delegation_goes_on_where_its_own_result_was_wanted() -> None:
    work = Delegation(
        code="D-1",
        sender="captain",
        agent="buyer",
        instruction="rent a machine",
        asked_by="shell",
        network="discord",
        channel="#reports",
        deliver_to="discord:#reports",
        issued_at=NOON,
        expires_at=NOON,
        trace_id="t",
    )
    assert reference_of(cast("Any", Talk("irc", "", delegation=work))) == "delegation:D-1"
    request = replace(REJECTED, reference="delegation:D-1")
    order = order_of(request, work)
    assert (order.deliver_to, order.channel) == ("discord:#reports", "#reports")
    assert "It was for D-1: rent a machine" in order.instruction
    # Its row may be gone by now: the agent hears of it all the same.
    assert order_of(request, None).deliver_to == ""
