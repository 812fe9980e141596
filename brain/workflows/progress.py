"""How a run goes on: pure rules over the states of its steps.

`advance` does whatever the rules ask for by now; `settle`, `decide` and `cancel` put in what came
from outside. Each gives a new `Progress`; whoever drives the run stores the difference and sees to
it that what is `running` is worked on, and what `to_stop` names is stopped.

A step that fans out has a task for itself and one for each item. When a run is to end otherwise
than well, nothing new begins; once all has ended, each task that was done and says `compensate` is
made up for, the newest first, one at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol

from brain.workflows.definition import MOST_ITEMS, Step, Workflow
from brain.workflows.templating import TemplateFailed
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


def advance(workflow: Workflow, progress: Progress, words: Words, now: datetime) -> Progress:
    """Everything that follows by itself from where the run is."""
    rules = _Rules(workflow, words, now)
    while progress.state not in FINAL:
        after = rules.once(progress)
        if after == progress:
            break
        progress = after
    return progress


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
        return _with(progress, key, replace(done, due_at=None))
    step = workflow.step(key.step)
    late = task.due_at is not None and task.due_at <= now
    stopped = progress.ending is not None and not key.undo
    if stopped and outcome.state is State.CANCELLED:
        over = replace(task, state=State.CANCELLED, error=progress.why, due_at=None)
        return _with(progress, key, over)
    error = f"it took longer than {step.timeout_s:g} s" if late else outcome.error
    ended = replace(task, error=error or "it failed", due_at=None)
    # What somebody else cancelled is not to be done after all.
    again = late or outcome.state is State.FAILED
    if again and not stopped and task.attempt <= step.retry.times:
        rest = timedelta(seconds=step.retry.rest_s(task.attempt))
        return _with(progress, key, replace(ended, state=State.WAITING, not_before=now + rest))
    return _with(progress, key, replace(ended, state=State.FAILED))


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
    return _with(progress, key, decided)


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
        if _late(progress.tasks[key], now) or (progress.ending is not None and not key.undo)
    ]


def next_moment(progress: Progress) -> datetime | None:
    """When something is due next, if time alone brings it."""
    live = (task for task in progress.tasks.values() if task.state not in FINAL)
    times = (moment for task in live for moment in (task.due_at, task.not_before))
    return min((moment for moment in times if moment is not None), default=None)


def _late(task: Task, now: datetime) -> bool:
    return task.due_at is not None and task.due_at <= now


def _with(progress: Progress, key: Key, task: Task) -> Progress:
    return replace(progress, tasks={**progress.tasks, key: task})


@dataclass(frozen=True)
class _Rules:
    """One round of the rules."""

    workflow: Workflow
    words: Words
    now: datetime

    def once(self, progress: Progress) -> Progress:
        progress = self._gates_expire(progress)
        progress = self._found_out(self._close(progress))
        if progress.ending is None:
            for step in self.workflow.steps:
                progress = self._open(step, progress)
            progress = self._found_out(self._begin_again(progress))
        if progress.ending is not None:
            progress = self._wind_up(progress)
        return replace(progress, state=self._state(progress))

    def _gates_expire(self, progress: Progress) -> Progress:
        for key, task in progress.tasks.items():
            if task.state is State.GATED and _late(task, self.now):
                why = "nobody decided in time, and silence is a no"
                progress = decide(self.workflow, progress, key.step, approved=False, why=why)
        return progress

    # --- going forward ----------------------------------------------------------------------------

    def _open(self, step: Step, progress: Progress) -> Progress:
        """Begin a step whose turn it is, or pass over it."""
        task = progress.of(step.id)
        if task.state is not State.WAITING or task.attempt:
            return progress
        needs = [progress.of(need).state for need in step.needs]
        if not all(state in FINAL for state in needs):
            return progress
        key = Key(step.id)
        skipped = [n for n, s in zip(step.needs, needs, strict=True) if s is not State.DONE]
        if skipped and (step.join == "all" or len(skipped) == len(needs)):
            why = f"{skipped[0]} was skipped"
            return _with(progress, key, replace(task, state=State.SKIPPED, error=why))
        try:
            if step.when is not None and not self.words.chooses(step, progress):
                why = "its condition does not hold"
                return _with(progress, key, replace(task, state=State.SKIPPED, error=why))
            return self._start(step, progress)
        except TemplateFailed as error:
            return _with(progress, key, replace(task, state=State.FAILED, error=str(error)))

    def _start(self, step: Step, progress: Progress) -> Progress:
        key, task = Key(step.id), progress.of(step.id)
        if step.gate is not None:
            due = self.now + timedelta(seconds=step.gate.expires_s)
            title = self.words.title(step, progress)
            return _with(
                progress, key, replace(task, state=State.GATED, order=title, due_at=due, attempt=1)
            )
        if step.for_each is None:
            return _with(progress, key, self._running(step, self._asked(step, progress, task)))
        items = self.words.items(step, progress)
        if len(items) > MOST_ITEMS:
            raise TemplateFailed(f"{len(items)} items are more than {MOST_ITEMS}")
        made = {key: replace(task, state=State.RUNNING, size=len(items), attempt=1)}
        for number, value in enumerate(items):
            one = self._asked(step, progress, Task(value=value))
            made[Key(step.id, number)] = self._running(step, one)
        return replace(progress, tasks={**progress.tasks, **made})

    def _asked(self, step: Step, progress: Progress, task: Task) -> Task:
        order = self.words.order(step, progress, task)
        return replace(task, order=order.text, post_to=order.post_to)

    def _running(self, step: Step, task: Task) -> Task:
        return replace(
            task,
            state=State.RUNNING,
            attempt=task.attempt + 1,
            due_at=self.now + timedelta(seconds=step.timeout_s),
            not_before=None,
        )

    def _begin_again(self, progress: Progress, *, undo: bool = False) -> Progress:
        for key, task in progress.tasks.items():
            rested = task.not_before is not None and task.not_before <= self.now
            if task.state is State.WAITING and rested and key.undo == undo:
                again = self._running(self.workflow.step(key.step), task)
                progress = _with(progress, key, again)
        return progress

    # --- what follows from what ended -------------------------------------------------------------

    def _close(self, progress: Progress) -> Progress:
        """Steps that fanned out are over once all their items are."""
        for key, task in progress.tasks.items():
            if task.size is None or task.state in FINAL:
                continue
            items = [progress.tasks[Key(key.step, n)] for n in range(task.size)]
            if all(item.state in FINAL for item in items):
                progress = _with(progress, key, _closed(task, items))
        return progress

    def _found_out(self, progress: Progress) -> Progress:
        """Whether the run is to end, and how."""
        if progress.ending is not None:
            return progress
        for key, task in progress.tasks.items():
            if task.state is State.FAILED:
                return replace(progress, ending=State.FAILED, why=f"{_name(key)}: {task.error}")
        whole = [progress.of(step.id).state for step in self.workflow.steps]
        if not all(state in FINAL for state in whole) or self.workflow.output is None:
            return progress
        if progress.output is not None or State.DONE not in whole:
            return progress
        try:
            return replace(progress, output=self.words.output(progress))
        except TemplateFailed as error:
            return replace(progress, ending=State.FAILED, why=f"its output: {error}")

    def _wind_up(self, progress: Progress) -> Progress:
        """Nothing new; then make up for what was done, the newest first."""
        tasks = dict(progress.tasks)
        for key, task in progress.tasks.items():
            unbegun = task.state is State.GATED or task.state is State.WAITING
            if unbegun and not key.undo:
                why = task.error or progress.why
                tasks[key] = replace(
                    task, state=State.CANCELLED, error=why, due_at=None, not_before=None
                )
        progress = replace(progress, tasks=tasks)
        if any(task.state not in FINAL for key, task in tasks.items() if not key.undo):
            return progress
        return self._make_up(self._begin_again(progress, undo=True))

    def _make_up(self, progress: Progress) -> Progress:
        for key in made_up_for(self.workflow, progress):
            undo = key._replace(undo=True)
            task = progress.tasks.get(undo)
            if task is None:
                return _with(progress, undo, self._undoing(key, progress))
            if task.state not in FINAL:
                break
        return progress

    def _undoing(self, key: Key, progress: Progress) -> Task:
        step = self.workflow.step(key.step)
        value = progress.tasks[key].value
        try:
            text = self.words.undo(step, progress, key)
        except TemplateFailed as error:
            return Task(state=State.FAILED, value=value, error=str(error))
        return self._running(step, Task(value=value, order=text))

    def _state(self, progress: Progress) -> State:
        states = {task.state for task in progress.tasks.values()}
        if states <= FINAL:
            if progress.ending is not None:
                return progress.ending if self._is_made_up(progress) else State.RUNNING
            if State.DONE not in states:
                return State.SKIPPED
            told = self.workflow.output is None or progress.output is not None
            return State.DONE if told else State.RUNNING
        begun = any(task.attempt for task in progress.tasks.values())
        busy = State.RUNNING in states or any(
            task.state is State.WAITING and task.attempt for task in progress.tasks.values()
        )
        if busy:
            return State.RUNNING
        if State.GATED in states:
            return State.GATED
        return State.RUNNING if begun else State.WAITING

    def _is_made_up(self, progress: Progress) -> bool:
        undone = (k._replace(undo=True) for k in made_up_for(self.workflow, progress))
        return all(key in progress.tasks for key in undone)


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


def _closed(task: Task, items: Sequence[Task]) -> Task:
    failed = next((item for item in items if item.state is State.FAILED), None)
    if failed is not None:
        return replace(task, state=State.FAILED, error=failed.error)
    stopped = next((item for item in items if item.state is State.CANCELLED), None)
    if stopped is not None:
        return replace(task, state=State.CANCELLED, error=stopped.error)
    return replace(task, state=State.DONE)


def _name(key: Key) -> str:
    return key.step if key.item == WHOLE else f"{key.step}[{key.item}]"
