"""What has to be known before a run begins: its file, and whether what is given fits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bots.settings import Settings
from bots.workflows.beginning import CannotBegin
from bots.workflows.library import Library, NoSuchWorkflow
from brain.workflows.reading import WorkflowUnreadable
from brain.workflows.words import InputMissing, given
from storage.workflows import NewRun


def prepared(
    settings: Settings,
    folder: Path,
    name: str,
    values: Mapping[str, str],
    *,
    started_by: str,
    idempotency_key: str | None,
    board: str,
    trace_id: str,
    asked_as: str = "INPUT=VALUE",
) -> NewRun:
    """A run of the workflow `name` with these inputs, which are `asked_as` where one is missing;
    raises `CannotBegin`.
    """
    try:
        workflow, source = Library(folder, settings).opened(name)
        inputs = given(workflow, values)
    except InputMissing as error:
        raise CannotBegin(f"{error}: give it as {asked_as}") from error
    except (NoSuchWorkflow, WorkflowUnreadable) as error:
        raise CannotBegin(str(error)) from error
    return NewRun(
        name=workflow.name,
        source=source,
        inputs=inputs,
        agent=settings.captain,
        steps=[step.id for step in workflow.steps],
        started_by=started_by,
        idempotency_key=idempotency_key,
        board=board,
        trace_id=trace_id,
    )
