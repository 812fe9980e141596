"""`/pending`, `/approve`, `/reject`, `/complete`: only who may decide, once, and in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from bots.commands.asked import Asked
from bots.commands.catalogue import catalogue
from bots.commands.registry import Desk, Unclear
from bots.control.objections import Voter
from bots.control.requests import CannotAsk, Question, Requests
from bots.house_settings import ApprovalSettings
from bots.messages import DISCORD, IRC
from brain.cases import Case
from brain.money import Money
from storage.request import Approvers, RequestKind
from storage.requests import Request
from storage.store import Store
from storage.tables import RequestState

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
COMMANDS = catalogue("!")
GPU = Case(
    kind=RequestKind.PAYMENT,
    title="GPU hours",
    reason="the index takes nine days on this machine",
    attempt="asked for a free quota; it was refused",
    cost=Money(12_000_000, "EUR"),
)


@dataclass
class Counter:
    """What the commands use of an agent's desk."""

    store: Store
    requests: Requests

    async def say(self, words: str, who: Asked) -> str:
        name, _, rest = words.partition(" ")
        command = COMMANDS.get(name)
        assert command is not None
        arguments = command.read(rest)
        assert arguments is not None
        said = await command.run(cast("Desk", self), who, arguments)
        assert said is not None
        return said


def person(name: str, account: str | None, network: str = DISCORD, *roles: str) -> Asked:
    return Asked(
        sender=name,
        account=account,
        network=network,
        channel="#lobby",
        session=f"{network}:#lobby",
        trace_id="t",
        text="",
        words="",
        heard_at=NOON,
        roles=roles,
    )


YOU = person("you", "1")
ROLE = person("boss", "2", DISCORD, "7")
EVE = person("eve", "3")
ALICE = person("alice", "Alice", IRC)
NICK = person("alice", None, IRC)


@pytest.fixture
def counter(store: Store) -> Counter:
    asking = Requests(
        store=store,
        captain="captain",
        settings=ApprovalSettings(),
        operators=Approvers(("1",), ("7",), ("alice",)),
        redact=str,
        clock=lambda: NOON,
    )
    return Counter(store, asking)


async def asked(counter: Counter, **changes: Any) -> Request:
    values: dict[str, Any] = {
        "kind": RequestKind.PAYMENT,
        "subject": "GPU hours",
        "title": "GPU hours",
        "asked_by": "harvester",
        "waiter": "harvester",
        "case": GPU,
        "trace_id": "",
    }
    return await counter.requests.ask_operators(Question(**(values | changes)))


async def test_a_payment_is_approved_done_and_has_its_bill(counter: Counter) -> None:
    asked_for = await asked(counter)
    assert asked_for.expires_at == NOON + timedelta(days=2)
    assert await counter.say("pending", YOU) == (
        "AP-1 payment: GPU hours (harvester, 12.00 EUR): rejects itself at 2026-11-22 12:00 UTC"
    )
    assert await counter.say("complete AP-1 11 EUR", YOU) == "AP-1 is not approved yet."
    said = await counter.say("approve AP-1 by the card of the house", ALICE)
    assert said == (
        "AP-1 was approved by alice: by the card of the house. "
        "Once it is done: /complete AP-1 COST."
    )
    assert "to be done and completed" in await counter.say("pending", ROLE)
    assert await counter.say("approve ap1", YOU) == "AP-1 was approved by alice at 12:00 UTC."
    assert (
        await counter.say("reject 1 too late", ROLE) == "AP-1 was approved by alice at 12:00 UTC."
    )
    assert await counter.say("complete AP-1 plenty", YOU) == (
        "Nothing is noted: write a sum as in 12.50 EUR, $1,200 or 0."
    )
    assert await counter.say("complete AP-1 $11", YOU) == ("AP-1 is in EUR: say the sum in EUR.")
    assert await counter.say("complete AP-1 11.90 return 40 EUR", YOU) == (
        "AP-1 was approved by alice: by the card of the house, and done by you: "
        "estimated cost 12.00 EUR; real cost 11.90 EUR; real return 40.00 EUR."
    )
    assert await counter.say("complete AP-1 11.90", YOU) == (
        "AP-1 was completed by you at 2026-11-20 12:00 UTC."
    )
    assert await counter.say("pending", YOU) == "Nothing waits for you."


@pytest.mark.parametrize("who", [EVE, NICK, person("alice", "alice"), person("you", "1", IRC)])
async def test_a_stranger_decides_nothing_and_is_shown_nothing(
    counter: Counter, who: Asked
) -> None:
    await asked(counter)
    refusal = "AP-1 is for the operators to decide, and you are none of them."
    for words in ("approve AP-1", "reject AP-1 no", "complete AP-1 0"):
        assert await counter.say(words, who) == refusal
    assert await counter.say("pending", who) == "Nothing waits for you."
    assert (
        await counter.requests.decide(1, Voter(name="you", user="1"), approved=False)
    ).decided_by == "you"


async def test_what_takes_two_people_is_decided_where_people_are_told_apart(
    counter: Counter,
) -> None:
    gate = await asked(counter, kind="gate", case=None, waiter="", quorum=2, title="Release?")
    assert await counter.say("approve AP-1", ALICE) == (
        "AP-1 takes 2 people, and only Discord tells them apart: decide there."
    )
    assert await counter.say("approve AP-1", YOU) == "AP-1: you said yes: 1 of 2."
    assert "takes 2 people" in await counter.say("approve AP-1", YOU)
    assert await counter.say("approve AP-1", ROLE) == "AP-1 was approved by you and boss."
    assert await counter.say("complete AP-1 0 EUR", YOU) == (
        f"{gate.code} is carried out by the swarm: nobody has to complete it."
    )


async def test_what_is_not_there_and_what_is_no_id(counter: Counter) -> None:
    assert await counter.say("approve AP-9", YOU) == "There is no such request any more."
    assert await counter.say("complete AP-9 0", YOU) == "There is no such request any more."
    with pytest.raises(Unclear, match="as in AP-12"):
        await counter.say("approve everything", YOU)


async def test_agents_ask_no_more_than_people_can_decide(counter: Counter) -> None:
    for number in range(10):
        await asked(counter, subject=f"n{number}")
    with pytest.raises(CannotAsk, match="enough to decide"):
        await asked(counter, subject="one more")
    # That is nobody else's fault.
    await asked(counter, subject="one more", asked_by="buyer")
    restart = await asked(counter, kind="restart", subject="auditor", case=None, asked_by="eve")
    assert restart.expires_at == NOON + timedelta(minutes=30)


async def test_the_same_turn_asks_the_same_once_whatever_became_of_it(counter: Counter) -> None:
    first = await asked(counter, trace_id="t9")
    assert (await asked(counter, trace_id="t9")).id == first.id
    await counter.say("reject AP-1 no", YOU)
    assert (await asked(counter, trace_id="t9")).state is RequestState.REJECTED
    assert (await asked(counter, trace_id="t10")).code == "AP-2"
