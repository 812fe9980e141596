"""One run as its driver sees it: what it goes by, and where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bots.workflows.work import Assignment, key_of
from brain.workflows.definition import Workflow
from brain.workflows.progress import Key, Progress, Task
from brain.workflows.words import Words
from storage.workflow_states import State
from storage.workflow_tables import WorkflowRun
from storage.workflows import StepRow


@dataclass(frozen=True)
class Script:
    """What a run goes by."""

    workflow: Workflow
    words: Words


@dataclass(frozen=True)
class Scene:
    """A run as it is stored."""

    run: WorkflowRun
    rows: Mapping[Key, StepRow]
    progress: Progress


def assignment_of(script: Script, scene: Scene, key: Key, now: datetime) -> Assignment:
    """What is asked of whoever does this task."""
    row, step = scene.rows[key], script.workflow.step(key.step)
    left_s = (row.due_at - now).total_seconds() if row.due_at else step.timeout_s
    # What is made up for is made up for by who did it.
    doer = scene.rows[key._replace(undo=False)].doer if key.undo else ""
    return Assignment(
        key=key_of(scene.run, row),
        asked_by=f"workflow:{scene.run.code}",
        agent=step.agent or doer or None,
        capability=step.capability,
        instruction=row.instruction,
        post_to=row.post_to,
        deadline_s=max(1.0, left_s),
        trace_id=scene.run.trace_id,
    )


def gated(scene: Scene) -> list[StepRow]:
    """Gates at which people have to decide."""
    return [row for row in scene.rows.values() if row.state is State.GATED]


def referred(scene: Scene, key: Key, reference: str, doer: str) -> Scene:
    """The scene with who has a task, and under which code."""
    row = replace(scene.rows[key], reference=reference, doer=doer)
    return replace(scene, rows={**scene.rows, key: row})


def closing(run: WorkflowRun, task: Task) -> str:
    """What became of a question, in a sentence."""
    if task.state is State.CANCELLED:
        return f"{run.code} ends: {run.why}"
    return f"{run.code} goes on" if task.state is State.DONE else f"{run.code} knows"
