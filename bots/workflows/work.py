"""What a run's driver needs of those who do the work, and of those who ask people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from brain.workflows.definition import Gate
from brain.workflows.progress import Outcome
from storage.unit import Unit
from storage.workflow_tables import WorkflowRun
from storage.workflows import StepRow


class NotNow(Exception):
    """It cannot be asked at this moment; the text says why."""


class NeverSo(Exception):
    """It is refused, and would be again; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One attempt of one task."""

    #: the same attempt is the same work: ``workflow:WF-3:search:-1:1``
    key: str
    #: whose it is: ``workflow:WF-3``
    asked_by: str
    #: who shall do it: a name, or else whoever has the capability
    agent: str | None
    capability: str | None
    instruction: str
    post_to: str
    deadline_s: float
    trace_id: str


@dataclass(frozen=True)
class Handed:
    """Who has it, and under which code."""

    reference: str
    doer: str


class Work(Protocol):
    """Those who do it. All raise `StorageError`."""

    async def ask(self, assignment: Assignment) -> Handed:
        """Have it done; the same key again gives the same. Raises `NotNow` and `NeverSo`."""

    async def find(self, assignment: Assignment) -> Handed | None:
        """What was asked under this key, if anything was."""

    async def outcomes(self, references: Sequence[str]) -> dict[str, Outcome]:
        """What came of these; those that are not over are left out."""

    async def cancel(self, reference: str, why: str) -> None:
        """Stop it, unless it is over."""


@dataclass(frozen=True)
class Verdict:
    """What people decided."""

    approved: bool
    why: str


class Gates(Protocol):
    """Those who ask people; all within the caller's transaction."""

    async def open(self, unit: Unit, run: WorkflowRun, task: StepRow, gate: Gate) -> str:
        """Ask them; the code of the question."""

    async def verdicts(self, unit: Unit, references: Sequence[str]) -> dict[str, Verdict]:
        """What was decided; what still waits is left out."""

    async def close(self, unit: Unit, reference: str, outcome: str) -> None:
        """It has been acted on, or is of no use any more: `outcome` says which."""

    def changed(self) -> None:
        """Questions were asked or closed: have it shown."""


def key_of(run: WorkflowRun, task: StepRow) -> str:
    """The idempotency key of the attempt that `task` is at."""
    undo = ":undo" if task.undo else ""
    return f"workflow:{run.code}:{task.step}:{task.item}:{task.attempt}{undo}"
