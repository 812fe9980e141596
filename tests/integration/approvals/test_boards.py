"""How far a run of a workflow is stands in one message, edited as it goes on."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from bots.discord.boards import Boards
from brain.guard import Guard, LatchPolicy
from storage import leases, workflows
from storage.store import Store
from storage.workflow_states import State
from storage.workflow_tables import WorkflowRun
from storage.workflows import Forward, NewRun, StepRow
from tests.integration.approvals.rig import Captain, Someone
from tests.integration.sandbox.stage import Sandbox

NEW = NewRun(
    name="survey",
    source="name: survey",
    inputs={},
    agent="captain",
    steps=("look", "tell"),
    started_by="alice *bold*",
    board="discord:#lobby",
    trace_id="t",
)


class Scene:
    """A run, and the captain's board of it."""

    def __init__(self, captain: Captain, store: Store) -> None:
        self.captain, self.store = captain, store
        self.boards = self.anew()

    def anew(self) -> Boards:
        """As a new process begins."""
        captain = self.captain
        return Boards(
            captain.transport.transport,
            self.store,
            Guard(
                self.store, [LatchPolicy(lambda _: captain.latch)], time.monotonic, captain.clock
            ),
            "captain",
            latch=lambda: captain.latch,
            redact=str,
            clock=captain.clock,
            log=structlog.get_logger(),
        )

    async def begin(self) -> WorkflowRun:
        async with self.store.writing() as unit:
            return (await workflows.begin(unit, NEW, self.captain.clock()))[0]

    async def forward(self, run: WorkflowRun, to: State, **task: Any) -> WorkflowRun:
        """The run is in this state, and its first step as `task` says."""
        assert run.id is not None
        now = self.captain.clock()
        async with self.store.writing() as unit:
            held = await leases.acquire(unit, "workflows", "captain.1", now=now, ttl_s=60)
            assert held is not None
            look = (await workflows.tasks(unit, run.id))[0]
            changes: list[tuple[StepRow | None, StepRow]] = [(look, replace(look, **task))]
            step = Forward(before=run, state=to, output="all *well*", tasks=changes)
            return await workflows.save(unit, step, held, now)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "captain"
    made.mkdir()
    return made


async def test_one_message_is_posted_and_edited_whatever_process_lives(
    sandbox: Sandbox, store: Store, folder: Path
) -> None:
    async with Captain(sandbox, store, folder) as captain:
        someone, scene = await Someone.come(sandbox), Scene(captain, store)
        run = await scene.begin()
        assert await scene.boards.look(), "a run is under way"
        posted = await someone.sees(lambda m: "WF-1" in m["content"])
        assert posted["content"].splitlines()[0] == (
            r"**WF-1** survey, started by alice \*bold\*: **waiting**"
        )
        run = await scene.forward(run, State.RUNNING, state=State.RUNNING, attempt=2)
        await scene.anew().look()
        edited = await someone.sees(lambda m: "running" in m["content"], "MESSAGE_UPDATE")
        assert edited["id"] == posted["id"]
        assert "🔵 look: running, try 2" in edited["content"]
        await scene.boards.look()  # nothing is new: nothing is edited
        await scene.forward(run, State.DONE, state=State.DONE)
        assert not await scene.boards.look()
        over = await someone.sees(lambda m: "**done**" in m["content"], "MESSAGE_UPDATE")
        assert over["id"] == posted["id"]
        assert r"all \*well\*" in over["content"]
