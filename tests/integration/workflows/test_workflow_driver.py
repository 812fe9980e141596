"""A run goes on where it was, whoever drives it, and asks for nothing twice."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from bots.control.requests import Requests, Undecidable, Voter
from bots.house_settings import ApprovalSettings
from bots.workflows.reins import LEASE, LEASE_S
from brain.workflows.progress import Outcome
from storage import audit, leases, requests, workflows
from storage.core import WORKFLOW_RUN
from storage.latch import UNREADABLE
from storage.requests import Approvers, Request
from storage.store import Store
from storage.tables import RequestState
from storage.workflow_states import State
from tests.integration.workflows.world import OPERATORS, Stage, World

DONE = Outcome(state=State.DONE, result="fine")
FAILED = Outcome(state=State.FAILED, error="it broke")
CHAIN = """\
name: chain
inputs:
  topic: {default: mixers}
steps:
  - id: a
    agent: harvester
    do: "find {{ inputs.topic }}"
    compensate: "forget {{ steps.a.result }}"
  - id: b
    capability: search
    needs: [a]
    do: "check {{ steps.a.result }}"
    retry: {times: 1, wait_s: 5}
output: "{{ steps.b.result }} in {{ run.code }}"
"""
GATED = """\
name: gated
steps:
  - {id: a, agent: x, do: "prepare", compensate: "undo it"}
  - id: ok
    needs: [a]
    gate:
      title: "Go {{ steps.a.result }}?"
      approvers: [operators, "user:9", "role:7", "account:zoe"]
      quorum: 2
      expires_s: 600
  - {id: b, agent: x, needs: [ok], do: "{{ steps.ok.result }}"}
"""


def people(stage: Stage) -> Requests:
    return Requests(
        store=stage.store,
        captain="captain",
        settings=ApprovalSettings(),
        operators=OPERATORS,
        redact=str,
        clock=stage.world.clock,
    )


async def question(store: Store) -> Request:
    async with store.reading() as unit:
        found = await requests.read(unit, 1)
    assert found is not None
    return found


async def test_a_run_is_driven_to_its_end(stage: Stage) -> None:
    run = await stage.begin(CHAIN, topic="mixers")
    await stage.play()
    over = await stage.run(run.code)
    assert (over.state, over.output) == ("done", "b fine in WF-1")
    assert [a.instruction for a in stage.world.asked.values()] == ["find mixers", "check a fine"]
    assert [a.key for a in stage.world.asked.values()] == [
        "workflow:WF-1:a:-1:1",
        "workflow:WF-1:b:-1:1",
    ]
    assert [(t.reference, t.doer) for t in await stage.tasks(run)] == [
        ("workflow:WF-1:a:-1:1", "harvester"),
        ("workflow:WF-1:b:-1:1", "a search"),
    ]
    async with stage.store.reading() as unit:
        assert await audit.verify(unit, "captain") is None


async def test_what_fails_is_tried_again_and_then_made_up_for(stage: Stage) -> None:
    stage.world.script = {"b": (FAILED,)}
    run = await stage.begin(CHAIN, topic="mixers")
    await stage.play()
    over = await stage.run(run.code)
    assert (over.state, over.why) == ("failed", "b: it broke")
    assert stage.world.order == [
        "workflow:WF-1:a:-1:1",
        "workflow:WF-1:b:-1:1",
        "workflow:WF-1:b:-1:2",
        "workflow:WF-1:a:-1:1:undo",
    ]
    assert stage.world.asked["workflow:WF-1:a:-1:1:undo"].instruction == "forget a fine"


async def test_who_takes_over_finds_what_was_asked_already(stage: Stage) -> None:
    run = await stage.begin(CHAIN, topic="mixers")
    stage.world.slow = {"a"}
    await stage.driver().look()
    # Its successor knows nothing but what is stored.
    await stage.driver().look()
    assert stage.world.order == ["workflow:WF-1:a:-1:1"]
    stage.world.finish("workflow:WF-1:a:-1:1")
    await stage.driver().look()
    assert (await stage.run(run.code)).state == "done"


async def test_two_drivers_at_a_time_are_one(stage: Stage) -> None:
    await stage.begin(CHAIN, topic="mixers")
    first = stage.driver()
    stage.world.slow = {"a"}
    await first.look()
    second = stage.driver()
    await second.look()  # the first one's lease ran out
    stage.world.finish("workflow:WF-1:a:-1:1")
    await first.look()
    assert (await stage.run("WF-1")).state == "running", "the first one holds the lease no more"
    await second.look()
    assert (await stage.run("WF-1")).state == "done"


async def test_a_step_that_takes_too_long_is_stopped_for_good(stage: Stage) -> None:
    source = CHAIN.replace("agent: harvester", "agent: harvester\n    timeout_s: 30")
    await stage.begin(source, topic="mixers")
    stage.world.slow = {"a"}
    await stage.play()
    over = await stage.run("WF-1")
    assert (over.state, over.why) == ("failed", "a: it took longer than 30 s")
    assert stage.world.done["workflow:WF-1:a:-1:1"].state is State.CANCELLED


async def test_a_late_result_that_is_still_on_its_way_is_not_waited_for_in_a_circle(
    stage: Stage,
) -> None:
    source = CHAIN.replace("agent: harvester", "agent: harvester\n    timeout_s: 30")
    await stage.begin(source, topic="mixers")
    stage.world.slow = stage.world.on_their_way = {"a"}
    driver = stage.driver()
    assert await driver.look() >= 1
    stage.world.now += timedelta(seconds=31)
    assert await driver.look() >= 1
    assert (await stage.run("WF-1")).state == "running"


async def test_who_drives_nothing_writes_nothing(stage: Stage) -> None:
    async def until() -> datetime | None:
        now = stage.world.now - timedelta(days=1)
        held = await stage.store.read(lambda unit: leases.current(unit, LEASE, now))
        return None if held is None else held.expires_at

    driver = stage.driver()
    await driver.look()
    assert await until() is None
    stage.world.slow = {"a"}
    await stage.begin(CHAIN, topic="mixers")
    await driver.look()
    first = await until()
    assert first is not None
    stage.world.now += timedelta(seconds=LEASE_S / 2 - 1)
    await driver.look()
    assert await until() == first, "more than half of it is left"
    stage.world.now += timedelta(seconds=2)
    await driver.look()
    assert await until() == stage.world.now + timedelta(seconds=LEASE_S)


async def test_who_lost_the_lease_takes_it_again_when_it_is_free(stage: Stage) -> None:
    stage.world.slow = {"a"}
    await stage.begin(CHAIN, topic="mixers")
    driver = stage.driver()
    await driver.look()
    assert await stage.store.write(lambda unit: leases.release_all(unit, "captain")) == 1
    stage.world.finish("workflow:WF-1:a:-1:1")
    await driver.look()
    await driver.look()
    assert (await stage.run("WF-1")).state == "done"


async def test_many_nudges_are_few_looks(stage: Stage) -> None:
    stage.world.slow = {"a"}
    await stage.begin(CHAIN, topic="mixers")
    driver, loop = stage.driver(), asyncio.get_running_loop()
    driving, begun_s = asyncio.create_task(driver.run()), loop.time()
    for _ in range(50):
        driver.nudge()
        await asyncio.sleep(0.01)
    driving.cancel()
    await asyncio.gather(driving, return_exceptions=True)
    assert stage.world.looks <= 2 + (loop.time() - begun_s) / 0.2


async def test_who_cannot_be_asked_is_asked_later_and_named_in_the_end(stage: Stage) -> None:
    source = CHAIN.replace("agent: harvester", "agent: harvester\n    timeout_s: 30")
    await stage.begin(source, topic="mixers")
    stage.world.closed = "harvester is killed"
    await stage.driver().look()
    assert (await stage.run("WF-1")).state == "running"
    await stage.play()
    assert (await stage.run("WF-1")).why == "a: harvester is killed"


async def test_somebody_who_wants_it_to_end_is_named_and_what_was_done_is_made_up_for(
    stage: Stage,
) -> None:
    stage.world.slow = {"b"}
    await stage.begin(CHAIN, topic="mixers")
    driver = stage.driver()
    await driver.look()
    async with stage.store.writing() as unit:
        await workflows.ask_cancel(unit, "WF-1", "alice", stage.world.now)
    await driver.look()
    over = await stage.run("WF-1")
    assert (over.state, over.why) == ("cancelled", "cancelled by alice")
    assert await stage.states(over) == {"a": "done", "b": "cancelled", "undo a": "done"}


async def test_a_gate_waits_for_its_quorum_over_the_death_of_its_driver(stage: Stage) -> None:
    await stage.begin(GATED)
    await stage.driver().look()
    assert (await stage.run("WF-1")).state == "gated"
    card = await question(stage.store)
    assert (card.title, card.kind, card.quorum) == ("Go a fine?", "gate", 2)
    assert card.approvers == Approvers(("1", "2", "9"), ("7",), ("zoe",))
    asking = people(stage)
    await asking.decide(1, Voter(name="alice", user="1"), approved=True)
    await stage.driver().look()
    assert (await stage.run("WF-1")).state == "gated"
    await asking.decide(1, Voter(name="zoe", user="9"), approved=True)
    await stage.driver().look()
    assert (await stage.run("WF-1")).state == "done"
    assert stage.world.asked["workflow:WF-1:b:-1:1"].instruction == "approved by alice and zoe"
    card = await question(stage.store)
    assert (card.state, card.outcome) == (RequestState.COMPLETED, "WF-1 goes on")


async def test_one_no_ends_the_run(stage: Stage) -> None:
    await stage.begin(GATED)
    await stage.driver().look()
    voter = Voter(name="alice", user="1")
    await people(stage).decide(1, voter, approved=False, note="too early")
    await stage.play()
    over = await stage.run("WF-1")
    assert over.why == "ok: rejected by alice: too early"
    assert await stage.states(over) == {
        "a": "done",
        "ok": "failed",
        "b": "cancelled",
        "undo a": "done",
    }


async def test_silence_is_a_no(stage: Stage) -> None:
    await stage.begin(GATED)
    await stage.driver().look()
    stage.world.now += timedelta(seconds=601)
    await stage.play()
    assert (await stage.run("WF-1")).why == "ok: nobody decided in time, and silence is a no"


async def test_who_approves_what_was_cancelled_is_told_so(stage: Stage) -> None:
    await stage.begin(GATED)
    driver = stage.driver()
    await driver.look()
    async with stage.store.writing() as unit:
        await workflows.ask_cancel(unit, "WF-1", "bob", stage.world.now)
    await driver.look()
    with pytest.raises(Undecidable, match=r"rejected by the workflow .* WF-1 ends: cancelled by b"):
        await people(stage).decide(1, Voter(name="alice", user="1"), approved=True)
    with pytest.raises(Undecidable, match="for the operators to decide"):
        await people(stage).decide(1, Voter(name="eve", user="3"), approved=True)
    assert (await stage.run("WF-1")).state == "cancelled"


async def test_a_file_that_cannot_be_read_any_more_fails_its_run_and_no_other(
    stage: Stage,
) -> None:
    broken = await stage.begin(CHAIN, topic="mixers")
    await stage.begin(CHAIN, topic="mixers")
    async with stage.store.writing() as unit:
        await unit.execute(
            WORKFLOW_RUN.update().where(WORKFLOW_RUN.c.id == broken.id).values(source="name: [")
        )
    await stage.play()
    assert "cannot be read any more" in (await stage.run("WF-1")).why
    assert (await stage.run("WF-2")).state == "done"


async def test_a_killed_swarm_begins_nothing(store: Store) -> None:
    stage = Stage(store, World())
    await stage.begin(CHAIN, topic="mixers")
    stage.latch = UNREADABLE
    await stage.driver().look()
    assert stage.world.asked == {}


async def test_a_run_that_waits_for_people_is_left_alone_until_they_have_decided(
    stage: Stage,
) -> None:
    await stage.begin(GATED)
    driver = stage.driver()
    await driver.look()
    calm = stage.world.looks
    for _ in range(3):
        await driver.look()
    # One question for all that wait, a look: no run is read.
    assert stage.world.looks == calm + 3
    asking = people(stage)
    for name, user in (("alice", "1"), ("bob", "2")):
        await asking.decide(1, Voter(name=name, user=user), approved=True)
    await driver.look()
    assert (await stage.run("WF-1")).state == "done"
