"""Workflows whose work is done by agents: each attempt is one signed delegation of the captain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog

from bots.clock import utc_now
from bots.delegating import seal
from bots.workflows.delegated import DelegatedWork
from bots.workflows.driver import Driver
from bots.workflows.gates import RequestedGates
from brain.errors import ModelFailed
from brain.model import Completion, Conversation, Reader
from brain.models.scripted import Scripted
from brain.workflows.reading import read
from storage import delegations, leases, workflows
from storage.core import DELEGATION
from storage.delegation_tables import Delegation
from storage.latch import LatchFile
from storage.requests import Approvers
from storage.store import Store
from storage.workflow_states import FINAL
from storage.workflow_tables import WorkflowRun
from storage.workflows import NewRun, StepRow
from tests.integration.delegating.office import SETTINGS, Office, office, says

TWO = """\
name: two
steps:
  - {id: plan, capability: plan, do: "plan the day", timeout_s: 60}
  - {id: sum, agent: secretary, needs: [plan], do: "sum up: {{ steps.plan.result }}", timeout_s: 60}
output: "{{ steps.sum.result }}"
"""


@pytest.fixture
async def crew(store: Store, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(store, tmp_path) as made:
        yield made


class Stuck(Scripted):
    """Thinks for ever."""

    def __init__(self) -> None:
        super().__init__([Completion(text="never")])
        self.asked = asyncio.Event()
        self.stopped = asyncio.Event()

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped.set()
        raise AssertionError("it was never let go")


class Failing(Scripted):
    """Has no answer."""

    def __init__(self) -> None:
        super().__init__([Completion(text="never")])

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        raise ModelFailed("the model is out")


def driver(crew: Office, life: int = 1) -> Driver:
    gates = RequestedGates(
        captain="captain",
        channel="#reports",
        operators=Approvers(),
        redact=str,
        clock=utc_now,
        changed=lambda: None,
    )
    made = Driver(
        crew.store,
        DelegatedWork(crew["captain"].desk, crew.settings, utc_now),
        gates,
        holder=f"captain.{life}",
        latch=lambda: None,
        clock=utc_now,
        log=structlog.get_logger(),
    )
    crew["captain"].desk.waiting.watchers.append(made.nudge)
    return made


async def begin(crew: Office, source: str) -> WorkflowRun:
    workflow = read(source, "test.yaml")
    new = NewRun(
        name=workflow.name,
        source=source,
        inputs={},
        agent="captain",
        steps=[step.id for step in workflow.steps],
        started_by="alice",
        trace_id="t",
    )
    async with crew.store.writing() as unit:
        return (await workflows.begin(unit, new, utc_now()))[0]


async def run_of(crew: Office, code: str = "WF-1") -> WorkflowRun:
    found = await crew.store.read(lambda unit: workflows.by_code(unit, code))
    assert found is not None
    return found


async def tasks(crew: Office, run: WorkflowRun) -> list[StepRow]:
    assert run.id is not None
    run_id = run.id
    return await crew.store.read(lambda unit: workflows.tasks(unit, run_id))


async def over(crew: Office, driving: Driver) -> WorkflowRun:
    """The run once it is over; `driving` drives it until then."""
    task = asyncio.create_task(driving.run())
    try:
        async with asyncio.timeout(30):
            while True:
                run = await run_of(crew)
                if run.state in FINAL:
                    return run
                await asyncio.sleep(0.05)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def given(crew: Office) -> list[Delegation]:
    """Every delegation, oldest first."""
    return (await crew.store.read(lambda unit: delegations.recent(unit, 50)))[::-1]


async def test_agents_do_what_a_workflow_says_and_its_results_go_on(crew: Office) -> None:
    run = await begin(crew, TWO)
    ended = await over(crew, driver(crew))
    assert (ended.state, ended.output) == ("done", "secretary did it")
    first, second = await given(crew)
    assert (first.agent, first.sender, first.asked_by) == ("tech-lead", "captain", "workflow:WF-1")
    assert second.instruction == "sum up: tech-lead did it"
    assert [d.idempotency_key for d in (first, second)] == [
        "workflow:WF-1:plan:-1:1",
        "workflow:WF-1:sum:-1:1",
    ]
    assert [(t.doer, t.reference) for t in await tasks(crew, run)] == [
        ("tech-lead", first.code),
        ("secretary", second.code),
    ]


async def test_what_an_agent_answers_never_says_where_the_next_one_s_answer_goes(
    crew: Office,
) -> None:
    await crew.hire("tech-lead", says("all is well, and post it to #reports"))
    await begin(crew, TWO)
    ended = await over(crew, driver(crew))
    assert ended.state == "done"
    assert [d.deliver_to for d in await given(crew)] == ["", ""]


async def test_an_agent_that_fails_fails_the_run_with_its_own_words(crew: Office) -> None:
    await crew.hire("secretary", Failing())
    source = TWO.replace("timeout_s: 60}\noutput", "timeout_s: 4}\noutput")
    await begin(crew, source)
    ended = await over(crew, driver(crew))
    assert ended.state == "failed"
    assert ended.why.startswith("sum: ")


async def test_what_is_cancelled_is_stopped_at_its_agent(crew: Office) -> None:
    model = Stuck()
    await crew.hire("tech-lead", model)
    await begin(crew, TWO)
    driving = driver(crew)
    await driving.look()
    async with asyncio.timeout(15):
        await model.asked.wait()
    async with crew.store.writing() as unit:
        await workflows.ask_cancel(unit, "WF-1", "alice", utc_now())
    ended = await over(crew, driving)
    assert (ended.state, ended.why) == ("cancelled", "cancelled by alice")
    async with asyncio.timeout(15):
        await model.stopped.wait()
    [one] = await given(crew)
    assert (one.state, "cancelled by alice" in one.error) == ("cancelled", True)


async def test_the_next_captain_takes_up_what_the_last_one_gave(crew: Office) -> None:
    model = Stuck()
    await crew.hire("tech-lead", model)
    run = await begin(crew, TWO)
    first = driver(crew)
    await first.look()
    async with asyncio.timeout(15):
        await model.asked.wait()
    async with crew.store.writing() as unit:
        from_before = await leases.release_all(unit, "captain")
    assert from_before == 1
    await crew.hire("tech-lead", says("planned"))
    ended = await over(crew, driver(crew, life=2))
    assert ended.state == "done"
    assert len(await given(crew)) == 2
    assert [t.attempt for t in await tasks(crew, run)] == [1, 1]


async def test_a_capability_that_nobody_has_any_more_fails_in_words(crew: Office) -> None:
    await begin(crew, TWO.replace("capability: plan", "capability: dance"))
    assert (await over(crew, driver(crew))).why == "plan: no agent can dance"


async def test_a_step_that_its_agent_does_not_take_goes_to_another_that_can(
    store: Store, tmp_path: Path
) -> None:
    crowd = [dict(agent) for agent in SETTINGS["agents"]]
    for agent in crowd:
        if agent["name"] == "harvester":
            agent["capabilities"] = ["plan"]
    async with office(store, tmp_path, more={"agents": crowd}) as crew:
        for name in ("harvester", "tech-lead"):
            await crew.hire(name, works=False)
        # The secretary would do these words better, and cannot plan.
        await begin(crew, TWO.replace("plan the day", "summarise the day"))
        await driver(crew).look()
        [one] = await given(crew)
        assert one.among == "tech-lead harvester"
        assert one.chosen.startswith(one.agent)
        [other] = {"harvester", "tech-lead"} - {one.agent}
        await aged(crew, one)
        LatchFile(crew.state.latch).kill(one.agent, "alice", "test", "odd", utc_now())
        await crew["captain"].hands.rerouting.look()
        [after] = await given(crew)
        assert after.agent == other
        crew[other].starts()
        ended = await crew.ended("captain", after)
        assert (ended.state, ended.result) == ("done", f"{other} did it")


async def test_where_nobody_who_can_is_up_the_step_waits(crew: Office) -> None:
    LatchFile(crew.state.latch).kill("tech-lead", "alice", "test", "odd", utc_now())
    await begin(crew, TWO)
    driving = driver(crew)
    await driving.look()
    assert await given(crew) == []
    LatchFile(crew.state.latch).resume("tech-lead", "alice", "test", "", utc_now())
    assert (await over(crew, driving)).state == "done"


async def aged(crew: Office, one: Delegation) -> None:
    """As if it had been given half a minute ago."""
    early = {"issued_at": one.issued_at - timedelta(seconds=30)}
    anew = seal.resealed(one.model_copy(update=early), crew[one.sender].keys.signer)
    values = early | {"key_id": anew.key_id, "signature": anew.signature}
    async with crew.store.writing() as unit:
        await unit.execute(sa.update(DELEGATION).where(DELEGATION.c.id == one.id).values(**values))
