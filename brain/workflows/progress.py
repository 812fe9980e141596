"""Where a run of a workflow is, and what changes it from outside: `settle`, `decide` and `cancel`.

Each gives a new `Progress`, as `rules.advance` does, which draws the consequences. Whoever drives
the run stores the difference, and sees to it that what `to_work_on` names is worked on and what
`to_stop` names is stopped. A step that fans out has a task for itself and one for each item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

from brain.workflows.definition import Step, Workflow
from storage.workflow_states import FINAL, State

#: the item of a task that is a whole step
WHOLE: Final = -1


class Key(NamedTuple):
    """Which task of a run."""

    step: str
    item: int = WHOLE
    #: it makes up for what the task of this step and item did
    undo: bool = False


@dataclass(frozen=True, kw_only=True)
class Task:
    """A step of a run, one item of it, or what makes up for either."""

    state: State = State.WAITING
    #: of the list that the step fans out over
    value: Any = None
    #: of a step that fans out: over how many
    size: int | None = None
    #: how often it was begun
    attempt: int = 0
    #: what is asked, and where the result goes; of a gate: its title
    order: str = ""
    post_to: str = ""
    #: when the attempt, or the gate, has waited long enough
    due_at: datetime | None = None
    #: before which it is not tried again
    not_before: datetime | None = None
    result: str = ""
    error: str = ""
    #: 1 for what was done first in this run; 0: not done
    done_as: int = 0


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a run is."""

    state: State = State.WAITING
    #: `failed` or `cancelled` once it is clear that it ends so
    ending: State | None = None
    why: str = ""
    #: None: not made yet, or the workflow has none
    output: str | None = None
    tasks: Mapping[Key, Task] = field(default_factory=dict)

    def of(self, step: str) -> Task:
        return self.tasks[Key(step)]


@dataclass(frozen=True)
class Order:
    text: str
    post_to: str = ""


class Words(Protocol):
    """What the workflow's templates come to by now; each may raise `TemplateFailed`."""

    def chooses(self, step: Step, progress: Progress) -> bool: ...
    def items(self, step: Step, progress: Progress) -> Sequence[Any]: ...
    def order(self, step: Step, progress: Progress, task: Task) -> Order: ...
    def title(self, step: Step, progress: Progress) -> str: ...
    def undo(self, step: Step, progress: Progress, key: Key) -> str: ...
    def output(self, progress: Progress) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one attempt: `done`, `failed` or `cancelled`."""

    state: State
    result: str = ""
    error: str = ""


def begun(workflow: Workflow) -> Progress:
    """A run of which nothing is done yet."""
    return Progress(tasks={Key(step.id): Task() for step in workflow.steps})


def settle(
    workflow: Workflow, progress: Progress, key: Key, outcome: Outcome, now: datetime
) -> Progress:
    """An attempt that was running is over. Without effect on a task that is not running."""
    task = progress.tasks.get(key)
    if task is None or task.state is not State.RUNNING or task.size is not None:
        return progress
    if outcome.state is State.DONE:
        order = 1 + max(t.done_as for t in progress.tasks.values())
        done = replace(task, state=State.DONE, result=outcome.result, error="", done_as=order)
        return changed(progress, key, replace(done, due_at=None))
    step = workflow.step(key.step)
    late = task.due_at is not None and task.due_at <= now
    stopped = progress.ending is not None and not key.undo
    if stopped and outcome.state is State.CANCELLED:
        over = replace(task, state=State.CANCELLED, error=progress.why, due_at=None)
        return changed(progress, key, over)
    error = outcome.error
    if late and outcome.state is State.CANCELLED:
        error = f"it took longer than {step.timeout_s:g} s"
    ended = replace(task, error=error or "it failed", due_at=None)
    # What somebody else cancelled is not to be done after all.
    again = late or outcome.state is State.FAILED
    if again and not stopped and task.attempt <= step.retry.times:
        rest = timedelta(seconds=step.retry.rest_s(task.attempt))
        return changed(progress, key, replace(ended, state=State.WAITING, not_before=now + rest))
    return changed(progress, key, replace(ended, state=State.FAILED))


def decide(
    workflow: Workflow, progress: Progress, step: str, *, approved: bool, why: str
) -> Progress:
    """People have decided at a gate. Without effect where nothing is to decide."""
    key = Key(step)
    task = progress.tasks[key]
    gate = workflow.step(step).gate
    if task.state is not State.GATED or gate is None:
        return progress
    if approved:
        order = 1 + max(t.done_as for t in progress.tasks.values())
        decided = replace(task, state=State.DONE, result=why, done_as=order, due_at=None)
    else:
        state = State.SKIPPED if gate.on_reject == "skip" else State.FAILED
        decided = replace(task, state=state, error=why, due_at=None)
    return changed(progress, key, decided)


def cancel(progress: Progress, why: str) -> Progress:
    """Somebody wants no more of it. Without effect on a run that ends already."""
    if progress.state in FINAL or progress.ending is not None:
        return progress
    return replace(progress, ending=State.CANCELLED, why=why)


def to_work_on(progress: Progress) -> list[Key]:
    """Tasks that are with somebody: what is asked for, and looked after."""
    return [
        key
        for key, task in progress.tasks.items()
        if task.state is State.RUNNING and task.size is None
    ]


def to_stop(progress: Progress, now: datetime) -> list[Key]:
    """Of these, what is to be stopped: it took too long, or the run is to end."""
    return [
        key
        for key in to_work_on(progress)
        if is_late(progress.tasks[key], now) or (progress.ending is not None and not key.undo)
    ]


def next_moment(progress: Progress) -> datetime | None:
    """When something is due next, if time alone brings it."""
    live = (task for task in progress.tasks.values() if task.state not in FINAL)
    times = (moment for task in live for moment in (task.due_at, task.not_before))
    return min((moment for moment in times if moment is not None), default=None)


def is_late(task: Task, now: datetime) -> bool:
    return task.due_at is not None and task.due_at <= now


def changed(progress: Progress, key: Key, task: Task) -> Progress:
    return replace(progress, tasks={**progress.tasks, key: task})


def made_up_for(workflow: Workflow, progress: Progress) -> list[Key]:
    """What was done and says how it is made up for, the newest first."""
    done = [
        key
        for key, task in progress.tasks.items()
        if task.state is State.DONE
        and not key.undo
        and task.size is None
        and workflow.step(key.step).compensate is not None
    ]
    return sorted(done, key=lambda key: -progress.tasks[key].done_as)
