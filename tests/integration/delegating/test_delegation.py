"""Work that is handed over: who may, who does it, what comes of it, whatever dies in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest
import sqlalchemy as sa

from bots.clock import utc_now
from bots.delegating import seal
from bots.delegating.order import (
    Killed,
    NobodyOfThatName,
    NotAllowed,
    NotGiven,
    Order,
    Reused,
)
from bots.settings import Settings
from brain.errors import ModelFailed
from brain.model import Completion, Conversation, Reader, ToolCall
from brain.models.scripted import Scripted
from brain.tools.context import Context
from brain.tools.registry import Effects, ToolResult, tool
from storage import audit, delegating, delegations, keys
from storage.core import AUDIT, DELEGATION, run
from storage.delegation_tables import DelegationState
from storage.latch import Latch, LatchFile
from storage.store import Store
from tests.integration.delegating.office import SETTINGS, Office, office, says


@pytest.fixture
async def crew(store: Store, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(store, tmp_path) as made:
        yield made


class Thinking(Scripted):
    """Thinks until it is let go."""

    def __init__(self, text: str = "at last") -> None:
        super().__init__([Completion(text=text)])
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        self.stopped = asyncio.Event()

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        self.asked.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.stopped.set()
            raise
        return await super().query(conversation, reader)


async def soon(event: asyncio.Event) -> None:
    async with asyncio.timeout(15):
        await event.wait()


async def test_the_captain_gives_work_and_gets_what_came_of_it(crew: Office) -> None:
    given = await crew.give("captain", "secretary", "summarise the day")
    ended = await crew.ended("captain", given)
    assert (ended.state, ended.result) == ("done", "secretary did it")
    assert (ended.sender, ended.model, ended.claim) == ("captain", "scripted", 1)
    async with crew.store.reading() as unit:
        assert await audit.verify(unit, "captain") is None
        assert await audit.verify(unit, "secretary") is None
        [permitted] = await audit.entries(unit, "captain", verb="delegate")
    assert permitted.target == "agent:secretary"
    assert crew.forbidden == []


async def test_what_is_made_for_private_work_is_private_and_signed_as_such(crew: Office) -> None:
    # What has ended gets no more parts.
    await crew.hire("secretary", works=False)
    above = await crew.give("captain", "secretary", is_private=True)
    below = await crew.give("captain", "buyer", asked_by="agent:captain", parent_id=above.id)
    assert (above.is_private, below.is_private) == (True, True)
    assert not (await crew.give("captain", "secretary")).is_private
    changed = above.model_copy(update={"is_private": False})
    now = utc_now()
    async with crew.store.reading() as unit:
        assert await seal.objection(unit, above, now) == ""
        assert "its signature is not captain's" in await seal.objection(unit, changed, now)


async def test_an_agent_at_its_own_door_does_it_itself(crew: Office) -> None:
    ended = await crew.ended("buyer", await crew.give("buyer", "buyer"))
    assert ended.result == "buyer did it"


async def test_a_specialist_reaches_another_one_through_who_may(crew: Office) -> None:
    given = await crew.give("harvester", "secretary", asked_by="agent:harvester")
    assert (given.agent, given.passed_to) == ("tech-lead", "secretary")
    ended = await crew.ended("harvester", given)
    assert (ended.state, ended.result) == ("done", "secretary did it")
    family = await crew["harvester"].desk.tree(given.code)
    assert [(d.sender, d.agent) for d in family] == [
        ("harvester", "tech-lead"),
        ("tech-lead", "secretary"),
    ]


async def test_who_waits_too_long_for_another_one_has_not_ended_it(crew: Office) -> None:
    await crew.hire("secretary", works=False)
    given = await crew.give("harvester", "secretary", asked_by="agent:harvester")
    await crew.hire("tech-lead", works=False)
    late = given.model_copy(update={"expires_at": utc_now() + timedelta(seconds=0.05)})
    with pytest.raises(TimeoutError):
        await crew["tech-lead"].hands.carrying.carry(late, lambda _: None)


async def test_who_has_nothing_in_hand_writes_nothing(crew: Office, tmp_path: Path) -> None:
    closed = Store(f"sqlite:///{tmp_path / 'closed.sqlite'}")
    await closed.close()
    works = crew["buyer"].hands
    await replace(works, desk=replace(works.desk, store=closed))._beat_once()


async def test_what_may_not_be_given_is_answered_and_audited(crew: Office) -> None:
    with pytest.raises(NotAllowed, match="tech-lead may not give work to captain"):
        await crew.give("tech-lead", "captain", asked_by="agent:tech-lead")
    async with crew.store.reading() as unit:
        [refused] = await audit.entries(unit, "tech-lead", verb="delegate")
        assert (refused.outcome, refused.target) == ("refused", "agent:captain")
        assert await delegations.recent(unit, 10) == []


async def test_work_never_comes_back_up_its_chain(crew: Office) -> None:
    crew["secretary"].hands.stop_all("not today")
    model = Thinking()
    await crew.hire("secretary", model)
    given = await crew.give("captain", "secretary")
    await soon(model.asked)
    with pytest.raises(NotAllowed, match="hands already"):
        await crew.give("secretary", "captain", asked_by="agent:secretary", parent_id=given.id)
    model.go.set()


async def test_bad_orders_are_refused_in_words(crew: Office) -> None:
    with pytest.raises(NobodyOfThatName, match="did you mean secretary"):
        await crew.give("captain", "secretery")
    with pytest.raises(NotGiven, match="empty"):
        await crew.give("captain", "secretary", "   ")
    with pytest.raises(NotGiven, match="deadline"):
        await crew.give("captain", "secretary", deadline=timedelta(days=3))
    with pytest.raises(NotGiven, match="sits in #nowhere"):
        await crew.give("captain", "secretary", "sum up and post it to #nowhere")
    with pytest.raises(NotGiven, match="no target"):
        await crew.give("captain", "secretary", deliver_to="somewhere")


async def test_the_same_key_gives_the_first_result(crew: Office) -> None:
    first = await crew.give("captain", "secretary", idempotency_key="k")
    again = await crew.give("captain", "secretary", idempotency_key="k")
    assert again.id == first.id
    with pytest.raises(Reused):
        await crew.give("captain", "secretary", "something else", idempotency_key="k")


async def test_the_same_words_are_the_same_where_they_could_not_be_given_any_more(
    crew: Office,
) -> None:
    posted = Order(
        to="secretary",
        instruction=" sum up and post it to #reports ",
        asked_by="shell",
        idempotency_key="k",
    )
    desk = crew["captain"].desk
    first = await desk.give(posted)
    assert (first.instruction, first.deliver_to) == ("sum up", "irc:#reports")
    quiet = SETTINGS | {"channels": [{"name": "#reports", "listen_only": True}]}
    there = replace(desk.destinations, settings=Settings.model_validate(quiet))
    later = replace(desk, destinations=there)
    assert (await later.give(posted)).id == first.id
    too_late = replace(posted, deadline=timedelta(days=3))
    assert (await desk.give(too_late)).id == first.id
    for order in (posted, too_late):
        with pytest.raises(Reused):
            await later.give(replace(order, instruction="buy it and post it to #reports"))


async def test_what_was_given_is_neither_refused_nor_written_down_again(crew: Office) -> None:
    first = await crew.give("captain", "secretary", idempotency_key="k")
    LatchFile(crew.state.latch).kill("secretary", "alice", "test", "", utc_now())
    again = await crew.give("captain", "secretary", idempotency_key="k")
    assert again.id == first.id
    async with crew.store.reading() as unit:
        acts = await unit.execute(sa.select(AUDIT.c.id).where(AUDIT.c.verb == "delegate"))
        assert len(acts.all()) == 1


async def test_of_two_at_once_under_one_key_the_other_words_are_refused(crew: Office) -> None:
    words = [f"number {n % 2}" for n in range(8)]
    told = await asyncio.gather(
        *(crew.give("captain", "secretary", w, idempotency_key="k") for w in words),
        return_exceptions=True,
    )
    given = [one for one in told if not isinstance(one, BaseException)]
    assert len({one.id for one in given}) == 1
    assert [isinstance(one, Reused) for one in told].count(True) == 4
    assert len(given) == 4


async def test_a_cancel_reaches_the_model(crew: Office) -> None:
    model = Thinking()
    await crew.hire("secretary", model)
    given = await crew.give("captain", "secretary")
    await soon(model.asked)
    cancelled = await crew["captain"].desk.cancel(given.code, "alice", "never mind")
    assert cancelled is not None
    assert cancelled.state == DelegationState.CANCELLED
    await soon(model.stopped)
    ended = await crew.ended("captain", given)
    assert (ended.state, ended.error) == ("cancelled", "cancelled by alice: never mind")


async def test_a_cancel_takes_the_whole_tree(crew: Office) -> None:
    model = Thinking()
    await crew.hire("secretary", model)
    given = await crew.give("harvester", "secretary", asked_by="agent:harvester")
    await soon(model.asked)
    await crew["harvester"].desk.cancel(given.code, "alice", "")
    await soon(model.stopped)
    family = await crew["harvester"].desk.tree(given.code)
    assert {d.state for d in family} == {"cancelled"}


async def test_what_passes_is_tried_again_and_what_does_not_fails(crew: Office) -> None:
    await crew.hire("secretary", Scripted([ModelFailed("overloaded"), Completion(text="now")]))
    ended = await crew.ended("captain", await crew.give("captain", "secretary"))
    assert (ended.state, ended.result, ended.claim) == ("done", "now", 2)
    await crew.hire("secretary", Scripted([ModelFailed("overloaded")]))
    ended = await crew.ended("captain", await crew.give("captain", "secretary", tries=1))
    assert (ended.state, ended.error) == ("failed", "overloaded")


async def test_the_next_process_takes_up_what_the_dead_one_left(crew: Office) -> None:
    await crew.hire("secretary", works=False)
    given = await crew.give("captain", "secretary")
    # A process that claims and is never heard of again.
    epoch = crew["secretary"].spec.epoch
    await crew.store.write(
        lambda unit: delegating.claim(unit, given.id or 0, "secretary", epoch, utc_now())
    )
    await crew.hire("secretary", says("the second one did it"))
    ended = await crew.ended("captain", given)
    assert (ended.state, ended.result, ended.claim) == ("done", "the second one did it", 2)


async def test_an_orderly_end_gives_the_work_back(crew: Office) -> None:
    model = Thinking()
    await crew.hire("secretary", model)
    given = await crew.give("captain", "secretary", tries=1)
    await soon(model.asked)
    await crew.hire("secretary", says("after the restart"))
    ended = await crew.ended("captain", given)
    assert (ended.state, ended.result) == ("done", "after the restart")


Chores = Callable[[], Awaitable[None]]


async def test_what_began_to_act_is_not_done_twice(crew: Office) -> None:
    begun, done = asyncio.Event(), 0

    @tool(effects=Effects.WRITES, guard_class="test")
    async def act(context: Context, what: Annotated[str, "what"]) -> ToolResult:
        """Act."""
        nonlocal done
        done += 1
        begun.set()
        await asyncio.Event().wait()
        return ToolResult(text=what)

    call = Completion(tool_calls=(ToolCall(id="1", name="act", arguments={"what": "x"}),))
    await crew.hire("secretary", Scripted([call]), [act])
    given = await crew.give("captain", "secretary")
    await soon(begun)
    await crew.hire("secretary", Scripted([call]), [act])
    ended = await crew.ended("captain", given)
    assert ended.state == "failed"
    assert "begun to act" in ended.error
    assert done == 1


async def test_what_has_acted_is_not_tried_again_when_the_model_fails(crew: Office) -> None:
    done = 0

    @tool(effects=Effects.WRITES, guard_class="test")
    async def act(context: Context, what: Annotated[str, "what"]) -> ToolResult:
        """Act."""
        nonlocal done
        done += 1
        return ToolResult(text=what)

    call = Completion(tool_calls=(ToolCall(id="1", name="act", arguments={"what": "x"}),))
    await crew.hire("secretary", Scripted([call, ModelFailed("overloaded"), call]), [act])
    ended = await crew.ended("captain", await crew.give("captain", "secretary"))
    assert (ended.state, ended.error, done) == ("failed", "overloaded", 1)


async def test_a_fault_that_nobody_foresaw_is_tried_again_and_named_by_its_kind(
    crew: Office,
) -> None:
    class Broken(Scripted):
        async def query(
            self, conversation: Conversation, reader: Reader | None = None
        ) -> Completion:
            raise ZeroDivisionError("secret words")

    await crew.hire("secretary", Broken([]))
    ended = await crew.ended("captain", await crew.give("captain", "secretary", tries=2))
    assert (ended.state, ended.claim) == ("failed", 2)
    assert ended.error == "it broke me: ZeroDivisionError"


@pytest.mark.parametrize(
    "change",
    [
        "instruction = 'buy a castle'",
        "agent = 'secretary'",
        "sender = 'tech-lead'",
        "priority = 1",
        "among = 'buyer'",
    ],
)
async def test_forged_rows_are_refused_where_the_work_would_be_done(
    crew: Office, change: str
) -> None:
    await crew.hire("harvester", works=False)
    await crew.hire("secretary", works=False)
    given = await crew.give("captain", "harvester", "buy a pen")
    async with crew.store.writing() as unit:
        await run(unit, sa.text(f"UPDATE delegation SET {change} WHERE id = {given.id}"))
    await crew.hire("harvester", model := says("never"))
    await crew.hire("secretary", model)
    ended = await crew.ended("captain", given)
    assert ended.state == "failed"
    assert ended.error.startswith("refused: ")
    assert model.times_asked == 0


async def test_a_revoked_key_is_worth_nothing_at_once(crew: Office) -> None:
    await crew.hire("secretary", works=False)
    given = await crew.give("captain", "secretary")
    async with crew.store.writing() as unit:
        await keys.revoke(unit, given.key_id, by="alice", now=utc_now())
    crew["secretary"].starts()
    ended = await crew.ended("captain", given)
    assert ended.state == "failed"
    assert "revoked" in ended.error


async def test_a_killed_agent_gets_nothing(crew: Office) -> None:
    LatchFile(crew.state.latch).kill("secretary", "alice", "test", "odd", utc_now())
    with pytest.raises(Killed, match="alice"):
        await crew.give("captain", "secretary")


@pytest.mark.parametrize("scope", ["captain", "all"])
async def test_a_killed_agent_gives_nothing(crew: Office, scope: str) -> None:
    LatchFile(crew.state.latch).kill(scope, "alice", "test", "odd", utc_now())
    for to in ("secretary", "auto"):
        with pytest.raises(Killed, match=r"captain is killed: .*alice"):
            await crew.give("captain", to)


async def test_whether_both_live_is_asked_once(crew: Office) -> None:
    asked: list[list[str]] = []

    def killed(agents: Iterable[str]) -> dict[str, Latch]:
        asked.append(list(agents))
        return {}

    def told(agent: str) -> Latch | None:
        raise AssertionError(agent)

    desk = crew["captain"].desk
    once = replace(desk, router=replace(desk.router, killed=killed), latch=told)
    await once.give(Order(to="secretary", instruction="do it", asked_by="shell"))
    assert asked == [["captain", "secretary"]]


async def test_auto_finds_who_can_and_says_why(crew: Office) -> None:
    given = await crew.give("captain", "auto", "summarise what was said")
    assert given.agent == "secretary"
    assert given.chosen.splitlines()[0].startswith("secretary ")
    assert "can summarise" in given.chosen
    ended = await crew.ended("captain", given)
    assert ended.result == "secretary did it"


async def test_the_second_best_gets_it_while_the_first_is_down(crew: Office) -> None:
    LatchFile(crew.state.latch).kill("secretary", "alice", "test", "odd", utc_now())
    given = await crew.give("captain", "auto", "summarise what was said")
    assert given.agent != "secretary"
    assert (await crew.ended("captain", given)).state == "done"


async def test_the_second_best_gets_what_the_first_did_not_take(crew: Office) -> None:
    await crew.hire("secretary", works=False)
    given = await crew.give("captain", "auto", "summarise what was said")
    assert given.agent == "secretary"
    async with crew.store.writing() as unit:
        early = {"issued_at": utc_now() - timedelta(seconds=30)}
        anew = seal.resealed(given.model_copy(update=early), crew["captain"].keys.signer)
        values = early | {"key_id": anew.key_id, "signature": anew.signature}
        await run(unit, sa.update(DELEGATION).where(DELEGATION.c.id == given.id).values(**values))
    crew["captain"].hands.nudge()
    await crew["captain"].hands.rerouting.look()
    assert (await crew.ended("captain", given, 0.01)).agent == "secretary"
    LatchFile(crew.state.latch).kill("secretary", "alice", "test", "odd", utc_now())
    crew["captain"].hands.nudge()
    ended = await crew.ended("captain", given)
    assert ended.state == "done"
    assert ended.agent != "secretary"


async def test_it_ends_at_its_deadline(crew: Office) -> None:
    model = Thinking()
    await crew.hire("secretary", model)
    given = await crew.give("captain", "secretary", deadline=timedelta(seconds=1))
    ended = await crew.ended("captain", given)
    assert ended.state == DelegationState.EXPIRED
    await soon(model.stopped)
