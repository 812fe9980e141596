"""A world for the driver of workflows: doers who do as a script says, and chances to die.

Doers outlive the drivers, as other processes do: what was asked stays asked, and each effect is
counted under the key that it was asked under.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog

from bots.workflows.driver import Driver
from bots.workflows.gates import RequestedGates
from bots.workflows.work import Assignment, Handed, NotNow
from brain.workflows.progress import Outcome
from brain.workflows.reading import read
from storage import workflows
from storage.latch import Latch
from storage.requests import Approvers
from storage.store import Store
from storage.unit import Unit
from storage.workflow_states import FINAL, State
from storage.workflow_tables import WorkflowRun
from storage.workflows import NewRun, StepRow

T = TypeVar("T")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OPERATORS = Approvers(("1", "2"), ())


class Crash(Exception):
    """The driver's process dies here."""


@dataclass
class Chance:
    """Lets the driver die, now and then."""

    rng: random.Random
    #: of each single thing that it does
    share: float = 0.0
    crashes: int = 0

    def dies(self) -> None:
        if self.rng.random() < self.share:
            self.crashes += 1
            raise Crash


class MortalStore:
    """A store whose user may die right before or right after a transaction."""

    def __init__(self, store: Store, chance: Chance) -> None:
        self._store = store
        self._chance = chance

    def reading(self) -> object:
        return self._store.reading()

    def writing(self) -> object:
        return self._store.writing()

    async def read(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        return await self._store.read(work)

    async def write(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        self._chance.dies()
        done = await self._store.write(work)
        self._chance.dies()
        return done


@dataclass
class World:
    """`bots.workflows.work.Work` by script; the clock is its own."""

    chance: Chance = field(default_factory=lambda: Chance(random.Random(0)))
    now: datetime = NOW
    #: by step: the outcomes of its attempts, the last one for all further ones
    script: Mapping[str, Sequence[Outcome]] = field(default_factory=dict)
    #: steps that nobody finishes before they are told to
    slow: set[str] = field(default_factory=set)
    #: steps that are over, whose results are still on their way: to stop them does nothing
    on_their_way: set[str] = field(default_factory=set)
    #: why nobody may be asked
    closed: str = ""
    asked: dict[str, Assignment] = field(default_factory=dict)
    done: dict[str, Outcome] = field(default_factory=dict)
    effects: Counter[str] = field(default_factory=Counter)
    #: how often somebody asked what came of something
    looks: int = 0
    #: in the order asked
    order: list[str] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    async def ask(self, assignment: Assignment) -> Handed:
        self.chance.dies()
        if self.closed:
            raise NotNow(self.closed)
        key = assignment.key
        if key not in self.asked:
            self.asked[key] = assignment
            self.order.append(key)
            if self.step_of(key) not in self.slow:
                self.finish(key)
        self.chance.dies()
        return Handed(key, assignment.agent or f"a {assignment.capability}")

    async def find(self, assignment: Assignment) -> Handed | None:
        return Handed(assignment.key, "x") if assignment.key in self.asked else None

    async def outcomes(self, references: Sequence[str]) -> dict[str, Outcome]:
        self.chance.dies()
        self.looks += 1
        return {key: self.done[key] for key in references if key in self.done}

    async def cancel(self, reference: str, why: str) -> None:
        self.chance.dies()
        if self.step_of(reference) not in self.on_their_way:
            self.done.setdefault(reference, Outcome(state=State.CANCELLED, error=why))

    def finish(self, key: str) -> None:
        """The doer of this ends with what the script says."""
        words = key.split(":")
        name = f"undo {words[2]}" if words[-1] == "undo" else words[2]
        script = self.script.get(name, (Outcome(state=State.DONE, result=f"{name} fine"),))
        outcome = script[min(int(words[4]), len(script)) - 1]
        if outcome.state is State.DONE:
            self.effects[key] += 1
        self.done[key] = outcome

    @staticmethod
    def step_of(key: str) -> str:
        return key.split(":")[2]


@dataclass
class Stage:
    """Runs in a store, and one driver after the other."""

    store: Store
    world: World = field(default_factory=World)
    lives: int = 0
    latch: Latch | None = None

    def gates(self) -> RequestedGates:
        return RequestedGates(
            captain="captain",
            channel="#ceo-office",
            operators=OPERATORS,
            redact=str,
            clock=self.world.clock,
            changed=lambda: None,
        )

    def driver(self) -> Driver:
        """A new process; its predecessor's lease has run out."""
        self.lives += 1
        self.world.now += timedelta(seconds=16)
        mortal = MortalStore(self.store, self.world.chance)
        return Driver(
            mortal,  # type: ignore[arg-type]  # all of a store that a driver uses
            self.world,
            self.gates(),
            holder=f"captain.{self.lives}",
            latch=lambda: self.latch,
            clock=self.world.clock,
            log=structlog.get_logger(),
        )

    async def begin(self, source: str, **inputs: object) -> WorkflowRun:
        workflow = read(source, "test.yaml")
        new = NewRun(
            name=workflow.name,
            source=source,
            inputs=inputs,
            agent="captain",
            steps=[step.id for step in workflow.steps],
            started_by="alice",
            trace_id="t",
        )
        async with self.store.writing() as unit:
            return (await workflows.begin(unit, new, self.world.now))[0]

    async def run(self, code: str) -> WorkflowRun:
        async with self.store.reading() as unit:
            found = await workflows.by_code(unit, code)
        assert found is not None
        return found

    async def tasks(self, run: WorkflowRun) -> list[StepRow]:
        assert run.id is not None
        async with self.store.reading() as unit:
            return await workflows.tasks(unit, run.id)

    async def states(self, run: WorkflowRun) -> dict[str, str]:
        rows = await self.tasks(run)
        return {f"{'undo ' * r.undo}{r.step}": str(r.state) for r in rows if r.item < 0 or r.undo}

    async def play(self, *, patience: int = 2_000) -> None:
        """Driver after driver, until no run is left."""
        driver = self.driver()
        for _ in range(patience):
            try:
                wait_s = await driver.look()
            except Crash:
                driver = self.driver()
                continue
            async with self.store.reading() as unit:
                if not await workflows.unfinished(unit):
                    return
            self.world.now += timedelta(seconds=wait_s)
        raise AssertionError("it never ends")


def is_over(run: WorkflowRun) -> bool:
    return State(run.state) in FINAL
