"""Two that want something of one delegation at the same moment; each moment is made by hand."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bots.clock import utc_now
from bots.delegating.delivering import Delivering
from bots.delegating.matter import DelegationMatter
from bots.delegating.order import NotGiven
from bots.delegating.rerouting import Rerouting
from bots.delegating.router import Router
from bots.delegating.turn import TurnHanding
from brain.delegation.routing import Ranked
from brain.guard import Guard
from storage import delegating, delegations
from storage.acts import Act, Permit
from storage.core import DELEGATION, run
from storage.delegating import Outcome
from storage.delegation_tables import Delegation, DelegationState
from storage.latch import LatchFile
from storage.store import Store
from storage.unit import Unit
from tests.acceptance.stage import until
from tests.integration.delegating.office import Clerk, Office, office
from tests.integration.delegating.test_delegation import Thinking, soon
from tests.integration.herald.rig import Paper


@pytest.fixture
async def crew(store: Store, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(store, tmp_path) as made:
        yield made


@dataclasses.dataclass(frozen=True, slots=True)
class Between(Unit):
    """A unit in which something happens elsewhere, once, before its first statement that writes."""

    work: Callable[[], Awaitable[object]] | None = None
    done: list[bool] = dataclasses.field(default_factory=list)

    async def execute(self, statement: sa.Executable, parameters: Any = None) -> Any:
        if not isinstance(statement, sa.Select) and not self.done:
            self.done.append(True)
            assert self.work is not None
            await self.work()
        return await Unit.execute(self, statement, parameters)


def between(unit: Unit, work: Callable[[], Awaitable[object]]) -> Between:
    return Between(unit.connection, unit.aside, work)


class Gate:
    """A guard that gives its word, and lets who has it go on only later."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.reached, self.go = asyncio.Event(), asyncio.Event()

    async def permit(self, act: Act) -> Permit:
        permit = await self._guard.permit(act)
        self.reached.set()
        await self.go.wait()
        return permit


def several_writers(crew: Office) -> None:
    if crew.store.dialect == "sqlite":
        pytest.skip("on SQLite there is one writer at a time")


async def row_of(crew: Office, given: Delegation) -> Delegation:
    found = await crew.store.read(lambda unit: delegations.by_code(unit, given.code))
    assert found is not None
    return found


async def claimed(crew: Office, given: Delegation) -> Delegation | None:
    epoch = crew[given.agent].spec.epoch
    return await crew.store.write(
        lambda unit: delegating.claim(unit, given.id or 0, given.agent, epoch, utc_now())
    )


async def owed(crew: Office, paper: Paper, *, since: timedelta = timedelta(0)) -> Delegation:
    """A result that the secretary has to say in #reports."""
    on(crew["secretary"], paper)
    await crew["secretary"].ends()
    given = await crew.give("captain", "secretary", deliver_to="irc:#reports")
    values = {
        "state": "done",
        "result": "the result",
        "deliver": "owed",
        "deliver_by": "secretary",
        "finished_at": utc_now() - since,
    }
    async with crew.store.writing() as unit:
        where = DELEGATION.c.id == given.id
        await run(unit, sa.update(DELEGATION).where(where).values(**values))
    return await row_of(crew, given)


def on(clerk: Clerk, paper: Paper) -> Delivering:
    """Put this agent on a network."""
    mouth = clerk.hands.delivering.mouth
    mouth.transports[paper.network] = paper  # type: ignore[index]
    said = dataclasses.replace(mouth, may_begin=lambda: True)
    clerk.hands.delivering = dataclasses.replace(clerk.hands.delivering, mouth=said)
    return clerk.hands.delivering


def gated(delivering: Delivering) -> tuple[Delivering, Gate]:
    gate: Any = Gate(delivering.mouth.guard)
    mouth = dataclasses.replace(delivering.mouth, guard=gate)
    return dataclasses.replace(delivering, mouth=mouth), gate


async def test_what_is_claimed_while_it_is_cancelled_is_cancelled(crew: Office) -> None:
    several_writers(crew)
    await crew.hire("secretary", works=False)
    given = await crew.give("captain", "secretary")
    claiming: list[asyncio.Task[Delegation | None]] = []

    async def claim() -> None:
        claiming.append(asyncio.create_task(claimed(crew, given)))
        # Either it has the row by now, or it waits for it.
        await asyncio.wait(claiming, timeout=0.3)

    async with crew.store.writing() as unit:
        await delegating.cancel(between(unit, claim), given, "never mind", utc_now())
    assert await claiming[0] is None
    assert (await row_of(crew, given)).state == "cancelled"


async def test_what_is_made_while_its_parent_is_cancelled_is_cancelled(crew: Office) -> None:
    several_writers(crew)
    await crew.hire("tech-lead", works=False)
    await crew.hire("secretary", works=False)
    given = await crew.give("captain", "tech-lead")

    async def make() -> None:
        await crew.give("tech-lead", "secretary", asked_by="agent:tech-lead", parent_id=given.id)

    async with crew.store.writing() as unit:
        await delegating.cancel(between(unit, make), given, "never mind", utc_now())
    family = await crew["captain"].desk.tree(given.code)
    assert [one.state for one in family] == ["cancelled", "cancelled"]


async def test_who_was_stopped_hands_over_nothing_more(crew: Office) -> None:
    model = Thinking()
    await crew.hire("tech-lead", model)
    given = await crew.give("captain", "tech-lead")
    await soon(model.asked)
    await crew["captain"].desk.cancel(given.code, "alice", "")
    with pytest.raises(NotGiven, match="has ended"):
        await crew.give("tech-lead", "secretary", asked_by="agent:tech-lead", parent_id=given.id)
    assert len(await crew["captain"].desk.tree(given.code)) == 1


async def test_what_shall_be_said_is_said_when_it_ends_in_that_moment(crew: Office) -> None:
    several_writers(crew)
    await crew.hire("secretary", works=False)
    given = await crew.give("captain", "secretary")
    held = await claimed(crew, given)
    assert held is not None
    redirecting: list[asyncio.Task[Delegation | None]] = []

    async def redirect() -> None:
        desk = crew["captain"].desk
        redirecting.append(asyncio.create_task(desk.say_later(given.code, "irc:#reports")))
        await asyncio.wait(redirecting, timeout=0.3)

    outcome = Outcome(state=DelegationState.DONE, result="the result")
    async with crew.store.writing() as unit:
        carrying = crew["secretary"].hands.carrying
        await carrying.finish(between(unit, redirect), held, outcome, utc_now())
    told = await redirecting[0]
    assert told is not None
    # Who asks for it just in time is told so, and it is owed there.
    assert (told.state, told.deliver, told.deliver_to) == ("claimed", "wanted", "irc:#reports")
    after = await row_of(crew, given)
    assert (after.state, after.deliver, after.result) == ("done", "owed", "the result")
    # Who asks for it too late is told that there is a result already.
    late = await crew["captain"].desk.say_later(given.code, "irc:#lobby")
    assert late == after


async def test_who_is_given_it_instead_says_it_where_it_shall_be_said_since(crew: Office) -> None:
    await crew.hire("secretary", works=False)
    given = await crew.give("captain", "auto", "summarise what was said")
    before = await row_of(crew, given)
    later = await crew["captain"].desk.say_later(given.code, "irc:#reports")
    assert later is not None
    assert later.deliver == "wanted"
    best = Ranked(agent="buyer", score=1.0, reasons=())
    # As it was when the router looked.
    await crew["captain"].hands.rerouting._to(before, best)
    ended = await crew.ended("captain", given, 5)
    assert (ended.agent, ended.state, ended.deliver_to) == ("buyer", "done", "irc:#reports")


async def test_of_two_processes_of_one_agent_one_says_it(crew: Office) -> None:
    paper = Paper()
    result = await owed(crew, paper)
    asleep, gate = gated(crew["secretary"].hands.delivering)
    sleeping = asyncio.create_task(asleep.deliver(result))
    await soon(gate.reached)
    awake = on(await crew.hire("secretary", works=False), paper)
    assert await awake.deliver(result)
    gate.go.set()
    assert await sleeping is False
    assert paper.taken("#reports") == ["the result"]
    told = await row_of(crew, result)
    assert (told.deliver, told.delivered_proof) == ("sent", "pong")


async def test_what_was_given_up_is_not_said_after_all(crew: Office) -> None:
    paper = Paper()
    result = await owed(crew, paper, since=timedelta(minutes=11))
    slow, gate = gated(crew["secretary"].hands.delivering)
    saying = asyncio.create_task(slow.deliver(result))
    await soon(gate.reached)
    await crew.store.write(lambda unit: delegations.give_up_saying(unit, utc_now()))
    gate.go.set()
    assert await saying is False
    assert paper.said == []
    assert (await row_of(crew, result)).deliver == "failed"


@pytest.mark.parametrize(
    "where", ["irc:#reports discord:#reports", "discord:#reports irc:#reports"]
)
async def test_one_place_that_refuses_it_does_not_keep_it_from_the_other(
    crew: Office, where: str
) -> None:
    paper = Paper()
    result = await owed(crew, paper)
    result = result.model_copy(update={"deliver_to": where})
    assert await crew["secretary"].hands.delivering.deliver(result)
    assert paper.taken("#reports") == ["the result"]
    told = await row_of(crew, result)
    assert told.deliver == "failed"
    assert told.delivered_proof == "not in discord:#reports: secretary is not on discord"
    assert told.delivered_id


async def test_nothing_is_said_where_is_only_listened(store: Store, tmp_path: Path) -> None:
    quiet = {"channels": [{"name": "#reports"}, {"name": "#quiet", "listen_only": True}]}
    paper = Paper(channels=("#reports", "#quiet"))
    async with office(store, tmp_path, more=quiet) as crew:
        secretary = on(await crew.hire("secretary", works=False), paper)
        given = await crew.give("captain", "secretary")
        # Nobody looked at where a command was given.
        assert await crew["captain"].desk.say_later(given.code, "irc:#quiet") is not None
        crew["secretary"].starts()
        ended = await crew.ended("captain", given)
        assert (ended.state, ended.deliver) == ("done", "failed")
        assert ended.delivered_proof.startswith("irc:#quiet is only listened to")
        assert paper.said == []
        assert not secretary.saying


async def test_a_long_result_does_not_flood_irc(crew: Office) -> None:
    class Narrow(Paper):
        def split(self, target: Any, text: str) -> list[str]:
            lines = text.splitlines()
            return [line[i : i + 40] for line in lines for i in range(0, len(line), 40)]

    paper = Narrow()
    result = await owed(crew, paper)
    result = result.model_copy(update={"result": "x" * 16_000})
    assert await crew["secretary"].hands.delivering.deliver(result)
    said = paper.taken("#reports")
    assert len(said) == 12
    assert said[-1] == "… 389 lines more"


async def test_who_comes_back_from_waiting_takes_no_more_than_there_are_places(
    crew: Office,
) -> None:
    lead, secretary = Thinking(), Thinking()
    await crew.hire("tech-lead", lead)
    await crew.hire("secretary", secretary)
    works = crew["tech-lead"].hands
    for number in range(4):
        await crew.give("captain", "tech-lead", f"number {number}")
    await until(lambda: works.busy == 4, "four are at work")
    await crew.give("harvester", "secretary", asked_by="agent:harvester")
    await soon(secretary.asked)
    assert works.busy == 5
    for hand in works._hands.values():
        hand.is_waiting = False
    await works._look()
    assert works.busy == 5


async def test_the_same_words_in_two_pieces_of_one_tree_are_two_children(crew: Office) -> None:
    for name in ("captain", "tech-lead", "secretary"):
        await crew.hire(name, works=False)
    root = await crew.give("captain", "captain", "all of it")
    children = []
    for words in ("look at a", "look at b"):
        of_root: dict[str, Any] = {"parent_id": root.id, "asked_by": "agent:captain"}
        given = await crew.give("captain", "tech-lead", words, **of_root)
        turn = TurnHanding(crew["tech-lead"].desk, DelegationMatter(given, "irc"))
        again = TurnHanding(crew["tech-lead"].desk, DelegationMatter(given, "irc"))
        child = await turn._given("secretary", "how far are you?")
        assert (await again._given("secretary", "how far are you?")).id == child.id
        children.append(child)
        assert child.parent_id == given.id
    assert children[0].id != children[1].id


async def test_who_is_not_on_a_network_leaves_it_to_somebody_who_is(
    store: Store, tmp_path: Path
) -> None:
    async with office(store, tmp_path, ["secretary"], on_discord={"1": "captain"}) as crew:
        there = crew["secretary"].desk.destinations
        assert there.speaker_for("discord:user:45") == "captain"
        assert there.speaker_for("irc:nick:alice") == "secretary"


async def test_a_long_queue_of_who_is_only_busy_costs_no_look_at_each(crew: Office) -> None:
    class Counted(Router):
        asked = 0

        async def rank(self, instruction: str, among: Collection[str]) -> list[Ranked]:
            Counted.asked += 1
            return await super().rank(instruction, among)

    await crew["captain"].ends()
    await crew.hire("secretary", works=False)
    for number in range(20):
        await crew.give("captain", "secretary", f"summarise number {number}")
    async with crew.store.writing() as unit:
        await run(unit, sa.update(DELEGATION).values(chosen="the best"))
    desk = crew["captain"].desk
    later = dataclasses.replace(
        desk,
        router=Counted(**vars(desk.router)),
        clock=lambda: utc_now() + timedelta(seconds=30),
    )
    rerouting = Rerouting(later, crew["captain"].hands.log)
    await rerouting.look()
    assert Counted.asked == 0
    LatchFile(crew.state.latch).kill("secretary", "alice", "test", "", utc_now())
    await rerouting.look()
    assert Counted.asked == 16
    await rerouting.look()
    assert Counted.asked == 20
