"""How a run goes on by itself: pure rules over the states of its steps.

When a run is to end otherwise than well, nothing new begins; once all has ended, each task that was
done and says `compensate` is made up for, the newest first, one at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from brain.workflows.definition import MOST_ITEMS, Step, Workflow
from brain.workflows.progress import (
    WHOLE,
    Key,
    Progress,
    Task,
    Words,
    changed,
    decide,
    is_late,
    made_up_for,
)
from brain.workflows.templating import TemplateFailed
from storage.workflow_states import FINAL, State


def advance(workflow: Workflow, progress: Progress, words: Words, now: datetime) -> Progress:
    """Everything that follows by itself from where the run is."""
    rules = _Rules(workflow, words, now)
    while progress.state not in FINAL:
        after = rules.once(progress)
        if after == progress:
            break
        progress = after
    return progress


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
            if task.state is State.GATED and is_late(task, self.now):
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
            return changed(progress, key, replace(task, state=State.SKIPPED, error=why))
        try:
            if step.when is not None and not self.words.chooses(step, progress):
                why = "its condition does not hold"
                return changed(progress, key, replace(task, state=State.SKIPPED, error=why))
            return self._start(step, progress)
        except TemplateFailed as error:
            return changed(progress, key, replace(task, state=State.FAILED, error=str(error)))

    def _start(self, step: Step, progress: Progress) -> Progress:
        key, task = Key(step.id), progress.of(step.id)
        if step.gate is not None:
            due = self.now + timedelta(seconds=step.gate.expires_s)
            title = self.words.title(step, progress)
            return changed(
                progress, key, replace(task, state=State.GATED, order=title, due_at=due, attempt=1)
            )
        if step.for_each is None:
            return changed(progress, key, self._running(step, self._asked(step, progress, task)))
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
                progress = changed(progress, key, again)
        return progress

    # --- what follows from what ended -------------------------------------------------------------

    def _close(self, progress: Progress) -> Progress:
        """Steps that fanned out are over once all their items are."""
        for key, task in progress.tasks.items():
            if task.size is None or task.state in FINAL:
                continue
            items = [progress.tasks[Key(key.step, n)] for n in range(task.size)]
            if all(item.state in FINAL for item in items):
                progress = changed(progress, key, _closed(task, items))
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
                return changed(progress, undo, self._undoing(key, progress))
            if task.state not in FINAL:
                break
        return progress

    def _undoing(self, key: Key, progress: Progress) -> Task:
        step = self.workflow.step(key.step)
        done = progress.tasks[key]
        try:
            text = self.words.undo(step, progress, key)
        except TemplateFailed as error:
            return Task(state=State.FAILED, value=done.value, error=str(error))
        # It is said where what it makes up for was said.
        return self._running(step, Task(value=done.value, order=text, post_to=done.post_to))

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
