"""Many runs of ten steps whose driver dies again and again: does each end as its script says?

The steps of a run, and what becomes of each, are drawn by chance from a seed; what must come of the
run follows from that alone.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from brain.workflows.progress import Outcome
from storage.store import Store
from storage.workflow_states import State
from storage.workflow_tables import WorkflowRun
from storage.workflows import StepRow
from tests.integration.workflows.world import Chance, Stage, World

STEPS = 10
#: runs that are driven at the same time
_AT_ONCE = 50
_DONE = Outcome(state=State.DONE, result="fine")
_FAILED = Outcome(state=State.FAILED, error="it broke")


@dataclass
class Plan:
    """One run: its file, and how often each step fails."""

    source: str
    #: failures before the first success; None: it always fails
    fails: Mapping[str, int | None]
    needs: Mapping[str, Sequence[str]]
    undone: frozenset[str]

    @property
    def state(self) -> State:
        return State.FAILED if None in self.fails.values() else State.DONE


def plan(rng: random.Random) -> Plan:
    """Ten steps, each behind up to three earlier ones."""
    fails: dict[str, int | None] = {}
    needs: dict[str, Sequence[str]] = {}
    undone = set()
    lines = ["name: storm", "steps:"]
    for number in range(STEPS):
        name = f"s{number}"
        earlier = [f"s{n}" for n in range(number)]
        needs[name] = rng.sample(earlier, rng.randint(0, min(3, number)))
        # One run in three has a step that always fails.
        fails[name] = None if rng.random() < 0.04 else rng.choice([0, 0, 0, 1, 2])
        lines.append(f"  - {{id: {name}, agent: a, do: x, needs: [{', '.join(needs[name])}],")
        if rng.random() < 0.5:
            undone.add(name)
            lines.append("     compensate: y,")
        lines.append("     retry: {times: 2, wait_s: 0, factor: 1}}")
    return Plan("\n".join(lines), fails, needs, frozenset(undone))


@dataclass
class ScriptedWorld(World):
    """Each run's steps fail as its plan says; whoever is asked too early is noted."""

    plans: dict[str, Plan] = field(default_factory=dict)
    too_early: list[str] = field(default_factory=list)
    #: by run, step and whether it makes up for it
    tries: Counter[tuple[str, str, bool]] = field(default_factory=Counter)

    def finish(self, key: str) -> None:
        _, code, step, _, attempt, *undo = key.split(":")
        planned = self.plans[code]
        if undo:
            outcome = _DONE
        else:
            done = {k.split(":")[2] for k in self._of(code) if self.done[k] is _DONE}
            if not set(planned.needs[step]) <= done:
                self.too_early.append(key)
            fails = planned.fails[step]
            outcome = _FAILED if fails is None or int(attempt) <= fails else _DONE
        self.done[key] = outcome
        self.tries[code, step, bool(undo)] += 1

    def _of(self, code: str) -> Iterator[str]:
        return (k for k in self.done if k.split(":")[1] == code and not k.endswith("undo"))


@dataclass(frozen=True)
class Storm:
    """What came of it."""

    runs: int
    crashes: int
    #: one sentence for each thing that is not as it must be
    wrong: list[str]


async def storm(store: Store, runs: int, *, seed: int, share: float) -> Storm:
    """Drive `runs` runs to their end; the driver dies at each single thing it does with a chance of
    `share`.
    """
    rng = random.Random(seed)
    world = ScriptedWorld(chance=Chance(random.Random(seed + 1), share))
    stage = Stage(store, world)
    wrong: list[str] = []
    for first in range(0, runs, _AT_ONCE):
        begun = []
        for _ in range(min(_AT_ONCE, runs - first)):
            planned = plan(rng)
            begun.append(await stage.begin(planned.source))
            world.plans[begun[-1].code] = planned
        await stage.play(patience=100_000)
        for run in begun:
            wrong += [f"{run.code}: {why}" async for why in _wrong(stage, world, run)]
        # What is over is looked at no more.
        world.asked.clear()
        world.done.clear()
        world.order.clear()
    return Storm(runs, world.chance.crashes, wrong + world.too_early)


async def _wrong(stage: Stage, world: ScriptedWorld, run: WorkflowRun) -> AsyncIterator[str]:
    planned, over = world.plans[run.code], await stage.run(run.code)
    rows = await stage.tasks(run)
    if over.state != planned.state:
        yield f"is {over.state} ({over.why}), not {planned.state}"
    for row in rows:
        fails = planned.fails[row.step]
        if row.state is State.DONE and not row.undo and row.attempt != (fails or 0) + 1:
            yield f"{row.step} was done at try {row.attempt}"
        # A step may fail while its run ends for another one's failure: it is not tried again then.
        may_fail = fails is None or (planned.state is State.FAILED and row.attempt <= fails)
        if row.state is State.FAILED and not may_fail:
            yield f"{row.step} failed: {row.error}"
    for why in _wrong_undo(planned, rows):
        yield why
    for row in rows:
        # Under whatever key: a step was tried as often as its row says, and not once more.
        asked = world.tries[run.code, row.step, row.undo]
        if asked not in {row.attempt, row.attempt - (row.state is not State.DONE)}:
            yield f"{row.step} was tried {asked} times, not {row.attempt}"


def _wrong_undo(planned: Plan, rows: Sequence[StepRow]) -> Iterator[str]:
    done = [row for row in rows if row.state is State.DONE and not row.undo]
    newest_first = sorted(done, key=lambda row: -row.done_as)
    owed = [row.step for row in newest_first if row.step in planned.undone]
    if planned.state is State.DONE:
        owed = []
    undone = [row.step for row in rows if row.undo and row.state is State.DONE]
    if undone != owed:
        yield f"made up for {undone}, not {owed}"
