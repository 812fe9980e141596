"""Agents ask people through the captain's desk, and go on by themselves once that is decided."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog

from bots.agent.people import People
from bots.clock import utc_now
from bots.control.consequences import Consequences, decided
from bots.control.objections import Voter
from bots.control.switch import KillSwitch
from brain.cases import Case, as_text
from brain.errors import Refused
from brain.model import Completion, Message, ToolCall
from brain.models.scripted import Scripted
from brain.tools.people import request_human
from storage import audit, delegations, requests
from storage.delegation_tables import Delegation
from storage.latch import LatchFile
from storage.request import CASES, Request, RequestKind
from storage.store import Store
from storage.tables import RequestState
from tests.integration.delegating.office import Office, office

PATIENCE_S = 20.0
YOU = Voter(name="you", user="45")
SECRET = "ghp_" + "a1B2" * 8
GPU: dict[str, Any] = {
    "kind": "payment",
    "title": "GPU hours",
    "reason": f"the index takes nine days here (key {SECRET})",
    "attempt": "asked for a free quota; it was refused",
    "cost": "12 EUR",
    "evidence": "https://example.org/prices\nnine days measured",
}


@pytest.fixture
async def crew(store: Store, tmp_path: Path) -> AsyncIterator[Office]:
    operators = {"operators": {"discord_users": ["45"]}}
    async with office(store, tmp_path, more=operators, on_discord={"1": "captain"}) as made:
        yield made


def asks(then: str = "I asked.", **changes: Any) -> Scripted:
    """A model that asks people, and then says something."""
    call = ToolCall(id="1", name="request_human", arguments=GPU | changes)
    return Scripted([Completion(tool_calls=(call,)), Completion(text=then)])


@asynccontextmanager
async def at_work(crew: Office) -> AsyncIterator[None]:
    """The captain's process, as far as it looks after what people decide."""
    parts, log = crew["captain"].parts, structlog.get_logger()
    file = LatchFile(crew.state.latch)
    switch = KillSwitch("captain", file, clock=utc_now, tell=lambda _: None, log=log)
    consequences = Consequences(
        crew.store,
        "captain",
        dict.fromkeys(CASES, decided()),
        latch=lambda: switch.latch,
        changed=parts.requests.tell,
        clock=utc_now,
        log=log,
    )
    parts.requests.watchers.append(consequences.nudge)
    running = [*People(crew["captain"].spec, parts, switch, log).work(), consequences.run()]
    tasks = [asyncio.create_task(one) for one in running]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def request(crew: Office, code: str = "AP-1") -> Request | None:
    found = await crew.store.read(lambda unit: requests.by_codes(unit, [code]))
    return found[0] if found else None


async def asked(crew: Office, code: str = "AP-1") -> Request:
    return await becomes(crew, code, lambda _: True)


async def becomes(crew: Office, code: str, fits: Callable[[Request], bool]) -> Request:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await request(crew, code)
            if found is not None and fits(found):
                return found
            await asyncio.sleep(0.02)


async def told(crew: Office, agent: str, code: str = "AP-1") -> Delegation:
    """The delegation that brings the answer to the agent, once it is over."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            recent = await crew.store.read(lambda unit: delegations.recent(unit, 20))
            for one in recent:
                if one.asked_by == f"request:{code}" and one.finished_at is not None:
                    assert one.agent == agent
                    return one
            await asyncio.sleep(0.02)


async def answers(crew: Office) -> int:
    recent = await crew.store.read(lambda unit: delegations.recent(unit, 50))
    return sum(one.asked_by.startswith("request:") for one in recent)


def shown(model: Scripted) -> Sequence[Message]:
    """What the tool said to the model."""
    return [m for m in model.shown[-1].messages if m.tool_call_id]


async def test_a_payment_is_asked_for_done_by_a_person_and_the_agent_goes_on(
    crew: Office,
) -> None:
    model = asks()
    await crew.hire("buyer", model, [request_human])
    async with at_work(crew):
        given = await crew.give("captain", "buyer", "rent a machine for the index")
        assert (await crew.ended("captain", given)).result == "I asked."
        [said] = shown(model)
        assert said.text.startswith("AP-1 waits for the operators until")
        assert said.text.endswith("The answer comes to you as work; end this turn without it.")

        row = await asked(crew)
        assert (row.kind, row.agent, row.waiter) == ("payment", "captain", "buyer")
        assert (row.cost_micros, row.currency) == (12_000_000, "EUR")
        assert row.sources == ("https://example.org/prices", "nine days measured")
        assert row.attempt == GPU["attempt"]
        assert SECRET not in row.reason
        assert row.reference == f"delegation:{given.code}"

        desk = crew["captain"].parts.requests
        await desk.decide(row.id, YOU, approved=True, note="on the house card")
        assert await answers(crew) == 0, "it is not done yet"
        await desk.complete(row.id, YOU, cost="11.90")
        back = await told(crew, "buyer")
        assert "AP-1 was approved by you: on the house card, and done by you" in back.instruction
        assert "real cost 11.90 EUR" in back.instruction
        assert f"It was for {given.code}: rent a machine" in back.instruction
        assert back.sender == "captain"
    async with crew.store.reading() as unit:
        assert await audit.verify(unit, "captain") is None
        [entry] = await audit.entries(unit, "captain", verb="ask")
        assert (entry.target, entry.outcome) == ("people:payment", "permitted")


async def test_an_answer_within_the_wait_is_the_tools_result(crew: Office) -> None:
    model = asks("Thank you.", kind="design", cost=None, title="Blue or green?", wait_s=45)
    await crew.hire("buyer", model, [request_human])
    async with at_work(crew):
        given = await crew.give("captain", "buyer")
        row = await asked(crew)
        await crew["captain"].parts.requests.decide(row.id, YOU, approved=True, note="blue")
        assert (await crew.ended("captain", given)).result == "Thank you."
        assert [m.text for m in shown(model)] == ["AP-1 was approved by you: blue."]
        now = await request(crew)
        assert now is not None
        assert (now.state, now.told) == (RequestState.COMPLETED, "completed")
        await asyncio.sleep(0)
        assert await answers(crew) == 0


async def test_silence_is_a_no_that_the_agent_is_told(crew: Office) -> None:
    await crew.hire("buyer", asks(), [request_human])
    async with at_work(crew):
        await crew.ended("captain", await crew.give("captain", "buyer"))
        row = await asked(crew)
        later = row.expires_at
        async with crew.store.writing() as unit:
            await requests.expire(unit, "captain", later)
        crew["captain"].parts.requests.tell()
        back = await told(crew, "buyer")
        assert "AP-1 rejected itself: nobody decided in time." in back.instruction


async def test_the_captain_asks_for_itself_and_goes_on_itself(crew: Office) -> None:
    await crew.hire("captain", asks(kind="strategy", cost=None), [request_human])
    async with at_work(crew):
        await crew.ended("captain", await crew.give("captain", "captain"))
        row = await asked(crew)
        assert row.waiter == "captain"
        await crew["captain"].parts.requests.decide(row.id, YOU, approved=False, note="not now")
        back = await told(crew, "captain")
        assert "AP-1 was rejected by you: not now." in back.instruction


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"attempt": " "}, "attempt is empty: say what you tried"),
        ({"cost": None}, "a payment needs its cost"),
        ({"cost": "a lot"}, "cost: write a sum as in 12.50 EUR"),
        ({"kind": "paiment"}, "did you mean payment?"),
        ({"deadline": "soon"}, "write a deadline as in 2h"),
        ({"deadline": "60 days"}, "at most 30 days away"),
    ],
)
async def test_a_case_that_is_not_complete_is_given_back(
    crew: Office, changes: dict[str, Any], why: str
) -> None:
    model = asks("Never mind.", **changes)
    await crew.hire("buyer", model, [request_human])
    await crew.ended("captain", await crew.give("captain", "buyer"))
    [said] = shown(model)
    assert said.is_error
    assert why in said.text
    assert await request(crew) is None


async def test_who_may_not_ask_the_captain_is_told_so(crew: Office) -> None:
    model = asks("Then not.")
    await crew.hire("tech-lead", model, [request_human])
    await crew.ended("captain", await crew.give("captain", "tech-lead"))
    [said] = shown(model)
    assert said.is_error
    assert "tech-lead may not give work to captain" in said.text
    assert await request(crew) is None


async def test_no_other_desk_makes_a_row(crew: Office) -> None:
    case = Case(kind=RequestKind.DESIGN, title="Blue?", reason="taste", attempt="asked the moon")
    with pytest.raises(Refused, match="only captain puts questions to people"):
        await crew["buyer"].parts.people.ask(case, "buyer", "t")
    # A case that is handed to somebody else than the captain comes to nothing there.
    given = await crew.give("captain", "buyer", as_text(case), kind="case")
    assert "only captain puts questions" in (await crew.ended("captain", given)).error
    assert await request(crew) is None
    async with crew.store.reading() as unit:
        entries = await audit.entries(unit, "buyer", verb="ask")
    assert {e.outcome for e in entries} == {"refused"}


async def test_nonsense_at_the_captains_desk_comes_to_nothing(crew: Office) -> None:
    good = as_text(Case(kind=RequestKind.DESIGN, title="a", reason="b", attempt="c"))
    for text in ("hello", "[]", "{}", good.replace('"design"', '"restart"'), good + " "):
        given = await crew.give("buyer", "captain", text, kind="case", asked_by="agent:buyer")
        ended = await crew.ended("buyer", given)
        if text.strip() == good:
            assert ended.result.startswith("AP-1\n")
        else:
            assert ended.error in {
                "that is no case for people",
                "restart is nothing that agents ask people for",
            }
    assert await request(crew, "AP-2") is None


async def test_a_captain_that_dies_over_a_case_asks_once(crew: Office) -> None:
    await crew["captain"].ends()
    text = as_text(Case(kind=RequestKind.DESIGN, title="Blue?", reason="taste", attempt="dice"))
    given = await crew.give("buyer", "captain", text, kind="case", asked_by="agent:buyer")
    people = crew["captain"].parts.people
    first, again = await people.take(given), await people.take(given)
    assert first.result.partition("\n")[0] == again.result.partition("\n")[0] == "AP-1"
    assert await request(crew, "AP-2") is None


async def test_what_was_asked_for_cancelled_work_is_taken_back(crew: Office) -> None:
    await crew.hire("buyer", asks(wait_s=45), [request_human])
    async with at_work(crew):
        given = await crew.give("captain", "buyer")
        await asked(crew)
        await crew["captain"].desk.cancel(given.code, "you", "")
        crew["captain"].parts.requests.tell()
        row = await becomes(crew, "AP-1", lambda r: r.is_over)
        assert (row.state, row.decided_by) == (RequestState.REJECTED, "the swarm")
        assert row.note == f"{given.code} was cancelled"
        assert await answers(crew) == 0


async def test_a_killed_captain_tells_afterwards(crew: Office) -> None:
    await crew.hire("buyer", asks(kind="content", cost=None), [request_human])
    await crew.ended("captain", await crew.give("captain", "buyer"))
    row = await asked(crew)
    async with crew.store.writing() as unit:
        no = requests.Decision(approved=False, by="you")
        await requests.decide(unit, row.id, no, utc_now())
    file = LatchFile(crew.state.latch)
    file.kill("all", "you", "test", "", utc_now())
    async with at_work(crew):
        crew["captain"].parts.requests.tell()
        await asyncio.sleep(0.2)
        assert await answers(crew) == 0
    file.resume("all", "you", "test", "", utc_now())
    async with at_work(crew):
        assert "AP-1 was rejected by you." in (await told(crew, "buyer")).instruction
