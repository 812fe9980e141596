"""The rules of a run, on any graph and with any luck."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brain.workflows.definition import Gate, Retry, Step, Workflow
from brain.workflows.progress import (
    Key,
    Order,
    Outcome,
    Progress,
    Task,
    begun,
    cancel,
    decide,
    made_up_for,
    next_moment,
    settle,
    to_stop,
    to_work_on,
)
from brain.workflows.rules import advance
from brain.workflows.templating import TemplateFailed
from storage.workflow_states import FINAL, State

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DONE = Outcome(state=State.DONE, result="fine")
FAILED = Outcome(state=State.FAILED, error="it broke")
CANCELLED = Outcome(state=State.CANCELLED, error="stopped")
#: what a run may become from what it is
NEXT_OF_RUN = {
    State.WAITING: {State.RUNNING, State.GATED} | FINAL,
    State.RUNNING: {State.WAITING, State.GATED} | FINAL,
    State.GATED: {State.RUNNING, State.WAITING} | FINAL,
}
#: what a step may become: it waits again before it is tried again, and a gate runs nothing
NEXT_OF_STEP = {
    State.WAITING: {State.RUNNING, State.GATED} | FINAL,
    State.RUNNING: {State.WAITING, State.DONE, State.FAILED, State.CANCELLED},
    State.GATED: FINAL,
}


@dataclass
class Luck:
    """Words as a test wants them."""

    sizes: dict[str, int] = field(default_factory=dict)
    false: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    def chooses(self, step: Step, progress: Progress) -> bool:
        return step.id not in self.false

    def items(self, step: Step, progress: Progress) -> Sequence[Any]:
        return list(range(self.sizes.get(step.id, 2)))

    def order(self, step: Step, progress: Progress, task: Task) -> Order:
        if step.id in self.broken:
            raise TemplateFailed("it asks for nothing")
        return Order(f"do {step.id} {task.value}", step.post_to or "")

    def title(self, step: Step, progress: Progress) -> str:
        return f"may {step.id}?"

    def undo(self, step: Step, progress: Progress, key: Key) -> str:
        return f"undo {step.id} {progress.tasks[key].value}"

    def output(self, progress: Progress) -> str:
        return "out"


def work(name: str, *needs: str, **more: Any) -> Step:
    return Step(id=name, agent="x", do="y", needs=needs, **more)


def gate(name: str, *needs: str, **more: Any) -> Step:
    return Step(id=name, needs=needs, gate=Gate(title="t", expires_s=60, **more))


@dataclass
class Play:
    """One run, played by hand."""

    workflow: Workflow
    luck: Luck = field(default_factory=Luck)
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.at = begun(self.workflow)
        self.go()

    def go(self, after_s: float = 0) -> None:
        self.now += timedelta(seconds=after_s)
        self.at = advance(self.workflow, self.at, self.luck, self.now)

    def end(self, step: str, outcome: Outcome, item: int = -1, *, undo: bool = False) -> None:
        self.at = settle(self.workflow, self.at, Key(step, item, undo), outcome, self.now)
        self.go()

    def decide(self, step: str, *, approved: bool) -> None:
        self.at = decide(self.workflow, self.at, step, approved=approved, why="because")
        self.go()

    def cancel(self) -> None:
        self.at = cancel(self.at, "not wanted")
        self.go()

    @property
    def states(self) -> dict[str, str]:
        return {f"{'undo ' * k.undo}{k.step}": str(t.state) for k, t in self.at.tasks.items()}


def play(*steps: Step, luck: Luck | None = None, output: str | None = None) -> Play:
    return Play(Workflow(name="w", steps=steps, output=output), luck or Luck())


def test_branches_run_side_by_side_and_meet() -> None:
    run = play(work("a"), work("b"), work("c", "a", "b"), output="o")
    assert to_work_on(run.at) == [Key("a"), Key("b")]
    run.end("a", DONE)
    assert run.states["c"] == "waiting"
    run.end("b", DONE)
    assert to_work_on(run.at) == [Key("c")]
    run.end("c", DONE)
    assert (run.at.state, run.at.output) == (State.DONE, "out")


def test_a_step_fans_out_and_is_over_with_its_last_item() -> None:
    run = play(work("a", for_each="x"), work("b", "a"))
    assert to_work_on(run.at) == [Key("a", 0), Key("a", 1)]
    run.end("a", DONE, 1)
    assert run.states["b"] == "waiting"
    run.end("a", DONE, 0)
    assert to_work_on(run.at) == [Key("b")]


def test_an_empty_list_is_done_at_once() -> None:
    run = play(work("a", for_each="x"), work("b", "a"), luck=Luck(sizes={"a": 0}))
    assert to_work_on(run.at) == [Key("b")]


def test_more_items_than_anybody_means_fail_before_any_begins() -> None:
    run = play(work("a", for_each="x"), luck=Luck(sizes={"a": 101}))
    assert run.at.state is State.FAILED
    assert "101 items" in run.at.why


def test_what_needs_a_skipped_step_is_skipped_unless_any_other_will_do() -> None:
    steps = (work("a", when="x"), work("b"), work("c", "a", "b"), work("d", "a", "b", join="any"))
    run = play(*steps, luck=Luck(false={"a"}))
    run.end("b", DONE)
    assert run.states == {"a": "skipped", "b": "done", "c": "skipped", "d": "running"}
    run.end("d", DONE)
    assert run.at.state is State.DONE


def test_a_run_of_which_nothing_was_wanted_is_skipped() -> None:
    run = play(work("a", when="x"), work("b", "a"), luck=Luck(false={"a"}), output="o")
    assert (run.at.state, run.at.output) == (State.SKIPPED, None)


def test_what_fails_is_tried_again_after_longer_and_longer_rests() -> None:
    run = play(work("a", retry=Retry(times=2, wait_s=10, factor=3)))
    run.end("a", FAILED)
    assert next_moment(run.at) == NOW + timedelta(seconds=10)
    run.go(9)
    assert run.states["a"] == "waiting"
    run.go(1)
    assert run.states["a"] == "running"
    run.end("a", FAILED)
    run.go(29)
    assert run.states["a"] == "waiting"
    run.go(1)
    run.end("a", FAILED)
    assert (run.at.state, run.at.why) == (State.FAILED, "a: it broke")


def test_what_takes_too_long_is_stopped_and_counts_as_failed() -> None:
    run = play(work("a", timeout_s=30))
    assert to_stop(run.at, run.now) == []
    run.go(30)
    assert to_stop(run.at, run.now) == [Key("a")]
    run.end("a", CANCELLED)
    assert run.at.why == "a: it took longer than 30 s"


def test_a_result_that_came_in_time_counts_however_late_it_is_looked_at() -> None:
    run = play(work("a", timeout_s=30))
    run.go(3600)
    run.end("a", DONE)
    assert run.at.state is State.DONE


def test_what_somebody_cancelled_is_not_tried_again() -> None:
    run = play(work("a", retry=Retry(times=5)))
    run.end("a", CANCELLED)
    assert (run.at.state, run.at.why) == (State.FAILED, "a: stopped")


def test_what_was_done_is_made_up_for_in_reverse_one_by_one() -> None:
    undo = {"compensate": "z"}
    run = play(work("a", **undo), work("b", **undo), work("c", "b"), work("d", "a", "b", "c"))
    run.end("b", DONE)
    run.end("a", DONE)
    run.end("c", DONE)
    run.end("d", FAILED)
    assert to_work_on(run.at) == [Key("a", undo=True)]
    assert to_stop(run.at, run.now) == []
    run.end("a", FAILED, undo=True)
    assert to_work_on(run.at) == [Key("b", undo=True)]
    run.end("b", DONE, undo=True)
    assert run.at.state is State.FAILED
    assert run.states["undo a"] == "failed"
    assert "undo c" not in run.states


def test_each_item_that_was_done_is_made_up_for() -> None:
    step = work("a", for_each="x", compensate="z", post_to="#reports")
    run = play(step, luck=Luck(sizes={"a": 3}))
    run.end("a", DONE, 1)
    run.end("a", FAILED, 0)
    assert to_stop(run.at, run.now) == [Key("a", 2)]
    run.end("a", CANCELLED, 2)
    assert to_work_on(run.at) == [Key("a", 1, undo=True)]
    undo = run.at.tasks[Key("a", 1, undo=True)]
    assert (undo.order, undo.post_to) == ("undo a 1", "#reports")


def test_a_gate_waits_for_people_and_goes_on_with_their_yes() -> None:
    run = play(work("a"), gate("g", "a"), work("b", "g"))
    run.end("a", DONE)
    assert run.at.state is State.GATED
    assert next_moment(run.at) == NOW + timedelta(seconds=60)
    run.decide("g", approved=True)
    assert run.states == {"a": "done", "g": "done", "b": "running"}
    run.decide("g", approved=False)  # too late: it has no effect
    run.end("b", DONE)
    assert set(run.states.values()) == {"done"}


@pytest.mark.parametrize(
    ("on_reject", "states", "ends"),
    [
        ("fail", {"g": "failed", "b": "cancelled"}, State.FAILED),
        ("skip", {"g": "skipped", "b": "skipped"}, State.SKIPPED),
    ],
)
@pytest.mark.parametrize("silence", [True, False])
def test_a_no_and_silence_end_the_run_or_pass_over(
    on_reject: str, states: dict[str, str], ends: State, *, silence: bool
) -> None:
    run = play(gate("g", on_reject=on_reject), work("b", "g"))
    if silence:
        run.go(60)
    else:
        run.decide("g", approved=False)
    assert (run.states, run.at.state) == (states, ends)


def test_a_cancelled_run_begins_nothing_more_and_makes_up_for_what_was_done() -> None:
    run = play(work("a", compensate="z"), work("b"), gate("g", "a"))
    run.end("a", DONE)
    run.cancel()
    assert to_stop(run.at, run.now) == [Key("b")]
    assert run.states["g"] == "cancelled"
    run.end("b", CANCELLED)
    run.end("a", DONE, undo=True)
    assert (run.at.state, run.at.why) == (State.CANCELLED, "not wanted")
    assert cancel(run.at, "again") == run.at


def test_an_order_that_cannot_be_made_fails_the_step_before_it_begins() -> None:
    run = play(work("a", for_each="x"), luck=Luck(broken={"a"}))
    assert run.at.state is State.FAILED
    assert run.at.why == "a: it asks for nothing"
    assert Key("a", 0) not in run.at.tasks


# --- any graph, any luck --------------------------------------------------------------------------


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 7))):
        names = [step.id for step in steps]
        needs = draw(st.lists(st.sampled_from(names), unique=True, max_size=3)) if names else []
        join = draw(st.sampled_from(["all", "any"]))
        if draw(st.integers(0, 4)) == 0:
            on_reject = draw(st.sampled_from(["fail", "skip"]))
            steps.append(gate(f"s{number}", *needs, on_reject=on_reject))
            continue
        steps.append(
            work(
                f"s{number}",
                *needs,
                join=join,
                when=draw(st.sampled_from([None, "x"])),
                for_each=draw(st.sampled_from([None, None, "x"])),
                compensate=draw(st.sampled_from([None, "z"])),
                timeout_s=draw(st.sampled_from([20.0, 500.0])),
                retry=Retry(times=draw(st.integers(0, 2)), wait_s=5),
            )
        )
    return Workflow(name="w", steps=tuple(steps), output=draw(st.sampled_from([None, "o"])))


@dataclass
class Witness:
    """Sees what begins, and objects."""

    workflow: Workflow
    attempts: set[tuple[Key, int]] = field(default_factory=set)
    undone: list[Key] = field(default_factory=list)

    def look(self, before: Progress, after: Progress) -> None:
        self.step_by_step(before, after)
        for key, task in after.tasks.items():
            old = before.tasks.get(key, Task())
            if old.state in FINAL:
                assert task == old, "what is over changes no more"
            if task.state is State.RUNNING and (key, task.attempt) not in self.attempts:
                assert old.state is not State.RUNNING
                self.attempts.add((key, task.attempt))
                self.began(before, after, key, task)

    @staticmethod
    def step_by_step(before: Progress, after: Progress) -> None:
        if after.state is not before.state:
            assert after.state in NEXT_OF_RUN[before.state]
        for key, task in before.tasks.items():
            became = after.tasks[key].state
            assert became is task.state or became in NEXT_OF_STEP[task.state]

    def began(self, before: Progress, after: Progress, key: Key, task: Task) -> None:
        step = self.workflow.step(key.step)
        assert task.attempt <= step.retry.times + 1
        if key.undo:
            assert after.tasks[key._replace(undo=False)].state is State.DONE
            assert all(t.state in FINAL for k, t in after.tasks.items() if not k.undo)
            assert [k for k in to_work_on(after) if k.undo] == [key], "one at a time"
            if task.attempt == 1:
                self.undone.append(key._replace(undo=False))
            return
        assert before.ending is None, "nothing new begins in a run that is to end"
        needs = [after.of(need).state for need in step.needs]
        assert all(state in FINAL for state in needs)
        done = [state is State.DONE for state in needs]
        assert all(done) if step.join == "all" else (any(done) or not done)


def played(workflow: Workflow, luck: Luck, rng: random.Random) -> tuple[Progress, Witness]:
    """A run from its beginning to its end, by chance."""
    at, now, witness = begun(workflow), NOW, Witness(workflow)
    for _ in range(2_000):
        before = at
        at = advance(workflow, at, luck, now)
        assert advance(workflow, at, luck, now) == at, "nothing is left undone"
        witness.look(before, at)
        if at.state in FINAL:
            return at, witness
        before = at
        busy, stop = to_work_on(at), to_stop(at, now)
        gates = [k.step for k, t in at.tasks.items() if t.state is State.GATED]
        due = next_moment(at)
        # Each of them brings the run on, so whatever chance chooses, it ends.
        able = ["decide"] * bool(gates) + ["settle"] * 4 * bool(busy)
        able += ["wait"] * (due is not None and due > now)
        if at.ending is None and rng.randint(0, 40) == 0:
            able = ["cancel"]
        match rng.choice(able):
            case "cancel":
                at = cancel(at, "chance")
            case "wait":
                now = due or now
            case "decide":
                yes = rng.random() < 0.7
                at = decide(workflow, at, rng.choice(gates), approved=yes, why="chance")
            case _:
                key = rng.choice(busy)
                ends = [CANCELLED, DONE] if key in stop else [DONE, DONE, DONE, FAILED]
                at = settle(workflow, at, key, rng.choice(ends), now)
        witness.step_by_step(before, at)
    raise AssertionError(f"it never ends: {at}")


@settings(max_examples=300, deadline=None)
@given(workflows(), st.randoms(use_true_random=False), st.data())
def test_every_run_ends_and_makes_up_for_exactly_what_was_done(
    workflow: Workflow, rng: random.Random, data: st.DataObject
) -> None:
    names = [step.id for step in workflow.steps]
    luck = Luck(
        sizes=data.draw(st.dictionaries(st.sampled_from(names), st.integers(0, 3))),
        false=data.draw(st.sets(st.sampled_from(names), max_size=2)),
        broken=data.draw(st.sets(st.sampled_from(names), max_size=1)),
    )
    at, witness = played(workflow, luck, rng)
    assert all(task.state in FINAL for task in at.tasks.values())
    if at.state in {State.DONE, State.SKIPPED}:
        assert at.ending is None
        assert not any(key.undo for key in at.tasks)
        assert {at.of(name).state for name in names} <= {State.DONE, State.SKIPPED}
        assert (at.output is not None) == (workflow.output is not None and at.state is State.DONE)
    else:
        assert at.state is at.ending
        assert at.why
        assert witness.undone == made_up_for(workflow, at)
        assert {k for k in at.tasks if k.undo} == {k._replace(undo=True) for k in witness.undone}
