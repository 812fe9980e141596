"""Where commands about workflows are carried out: right in the store, which the swarm reads too."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from bots.cli.exits import CommandError, Exit
from bots.cli.person import person
from bots.cli.store_work import at_store, has_store
from bots.clock import utc_now
from bots.settings import Settings
from bots.state import StateFolder
from bots.workflows.beginning import CannotBegin
from bots.workflows.preparing import prepared
from bots.workflows.record import progress_of
from brain.workflows.definition import Workflow
from brain.workflows.progress import Progress
from brain.workflows.reading import WorkflowUnreadable, read
from storage import workflows
from storage.store import Store
from storage.unit import Unit
from storage.workflow_states import FINAL
from storage.workflow_tables import WorkflowRun
from storage.workflows import StepRow

T = TypeVar("T")
_RECENT: Final = 20
_LOOK_EVERY_S: Final = 0.5


@dataclass(frozen=True)
class Found:
    """A run and what it consists of."""

    run: WorkflowRun
    rows: list[StepRow]


@dataclass(frozen=True)
class Desk:
    """All of it raises `CommandError`."""

    settings: Settings
    state: StateFolder

    def begin(
        self, folder: Path, name: str, inputs: Mapping[str, str], *, board: str, key: str
    ) -> Found:
        """A run that the captain drives as soon as it looks."""
        try:
            new = prepared(
                self.settings,
                folder,
                name,
                inputs,
                started_by=person(),
                idempotency_key=key or None,
                board=board,
                trace_id=secrets.token_hex(8),
                asked_as="--input NAME=VALUE",
            )
        except CannotBegin as error:
            raise CommandError(str(error), Exit.USAGE) from None

        async def begin(store: Store) -> Found:
            begun, _ = await store.write(lambda unit: workflows.begin(unit, new, utc_now()))
            return await _found(store, begun)

        return self._with_store(begin)

    def find(self, code: str) -> Found:
        return self._with_store(lambda store: _by_code(store, code))

    def recent(self) -> list[Found]:
        async def look(store: Store) -> list[Found]:
            runs = await store.read(lambda unit: workflows.recent(unit, _RECENT))
            return [Found(run, []) for run in runs]

        return self._with_store(look)

    def wait(self, code: str, wait_s: float) -> Found:
        """The run once it is over, or as it is after so many seconds."""
        until = time.monotonic() + wait_s

        async def wait(store: Store) -> Found:
            while True:
                found = await _by_code(store, code)
                if found.run.state in FINAL or time.monotonic() >= until:
                    return found
                await asyncio.sleep(_LOOK_EVERY_S)

        return self._with_store(wait)

    def cancel(self, code: str) -> Found:
        async def cancel(store: Store) -> Found:
            async def ask(unit: Unit) -> None:
                await workflows.ask_cancel(unit, code, person(), utc_now())

            await store.write(ask)
            return await _by_code(store, code)

        return self._with_store(cancel)

    def drawn(self, code: str) -> tuple[Workflow, Progress]:
        """The workflow that this run goes by, and where it is."""
        found = self.find(code)
        try:
            defined = read(found.run.source, f"{found.run.name}.yaml")
        except WorkflowUnreadable as error:
            raise CommandError(str(error)) from None
        return defined, progress_of(found.run, found.rows)

    def _with_store(self, work: Callable[[Store], Awaitable[T]]) -> T:
        if not has_store(self.settings, self.state):
            raise CommandError(
                "no swarm has run here yet: `run.py up` first, then this", Exit.NOT_RUNNING
            )
        return at_store(self.settings, self.state, work)


async def _by_code(store: Store, code: str) -> Found:
    run = await store.read(lambda unit: workflows.by_code(unit, code))
    if run is None:
        raise CommandError(f"There is no run {code}; `status` names them.", Exit.USAGE)
    return await _found(store, run)


async def _found(store: Store, run: WorkflowRun) -> Found:
    assert run.id is not None
    run_id = run.id
    return Found(run, await store.read(lambda unit: workflows.tasks(unit, run_id)))


def as_json_of(found: Found) -> dict[str, Any]:
    """A run for scripts."""
    run = found.run
    return {
        "code": run.code,
        "workflow": run.name,
        "state": run.state,
        "ending": run.ending,
        "why": run.why,
        "output": run.output,
        "inputs": json.loads(run.inputs),
        "started_by": run.started_by,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "steps": [_step(row) for row in found.rows],
    }


def _step(row: StepRow) -> dict[str, Any]:
    told: dict[str, Any] = {
        "step": row.step,
        "state": str(row.state),
        "attempt": row.attempt,
        "doer": row.doer,
        "reference": row.reference,
        "result": row.result,
        "error": row.error,
    }
    if row.item >= 0:
        told |= {"item": row.item, "value": row.value}
    return told | ({"undo": True} if row.undo else {})
