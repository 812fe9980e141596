"""Between the rules' view of a run and its rows. Only glue."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from brain.workflows.definition import Workflow
from brain.workflows.progress import Key, Progress, Task
from brain.workflows.words import Words
from storage.workflow_states import State
from storage.workflow_tables import WorkflowRun
from storage.workflows import Forward, StepRow


def key_of(row: StepRow) -> Key:
    return Key(row.step, row.item, row.undo)


def progress_of(run: WorkflowRun, rows: Sequence[StepRow]) -> Progress:
    """Where the run is, as its rows say."""
    return Progress(
        state=State(run.state),
        ending=State(run.ending) if run.ending else None,
        why=run.why,
        output=run.output,
        tasks={key_of(row): _task(row) for row in rows},
    )


def forward_of(run: WorkflowRun, rows: Mapping[Key, StepRow], after: Progress) -> Forward:
    """What has to be stored for the run to be where `after` says."""
    changed = []
    for key, task in after.tasks.items():
        old = rows.get(key)
        new = row_of(key, task, old)
        if new != old:
            changed.append((old, new))
    return Forward(
        before=run,
        state=after.state,
        ending=after.ending,
        why=after.why,
        output=after.output,
        tasks=changed,
    )


def row_of(key: Key, task: Task, old: StepRow | None) -> StepRow:
    """The row of a task; who has it is known from before, as long as the attempt is the same."""
    same = old is not None and old.attempt == task.attempt
    return StepRow(
        step=key.step,
        item=key.item,
        undo=key.undo,
        state=task.state,
        value=task.value,
        size=task.size,
        attempt=task.attempt,
        instruction=task.order,
        post_to=task.post_to,
        due_at=task.due_at,
        not_before=task.not_before,
        result=task.result,
        error=task.error,
        done_as=task.done_as,
        reference=old.reference if old is not None and same else "",
        doer=old.doer if old is not None and same else "",
    )


def words_of(run: WorkflowRun, workflow: Workflow) -> Words:
    """What the templates of this run are told."""
    told = {
        "code": run.code,
        "day": f"{run.started_at:%Y-%m-%d}",
        "started_by": run.started_by,
        "workflow": run.name,
    }
    return Words(workflow, json.loads(run.inputs), told)


def _task(row: StepRow) -> Task:
    return Task(
        state=row.state,
        value=row.value,
        size=row.size,
        attempt=row.attempt,
        order=row.instruction,
        post_to=row.post_to,
        due_at=row.due_at,
        not_before=row.not_before,
        result=row.result,
        error=row.error,
        done_as=row.done_as,
    )
