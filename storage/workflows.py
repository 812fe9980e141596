"""Runs of workflows: begun, driven by one process at a time, and looked at.

`save` stores one step forward of a run: whatever the rules changed, in one transaction that is
guarded by the lease's epoch and by the states and attempts it leaves, with an entry in the audit
chain. Who lost the lease changes nothing any more.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from storage import audit, leases
from storage.core import WORKFLOW_RUN, WORKFLOW_STEP, insert, one_at_a_time, run
from storage.errors import LeaseLost
from storage.leases import Held
from storage.unit import Rows, Unit
from storage.workflow_states import FINAL, State
from storage.workflow_tables import WorkflowRun

_R: Final = WORKFLOW_RUN.c
_S: Final = WORKFLOW_STEP.c
_COLUMNS: Final = [_R[name] for name in WorkflowRun.model_fields]
_OPEN: Final = [str(state) for state in State if state not in FINAL]


@dataclass(frozen=True, kw_only=True)
class StepRow:
    """One task of a run as plain values; see `storage.workflow_tables.WorkflowStep`."""

    step: str
    item: int = -1
    undo: bool = False
    state: State = State.WAITING
    value: Any = None
    size: int | None = None
    attempt: int = 0
    instruction: str = ""
    post_to: str = ""
    due_at: datetime | None = None
    not_before: datetime | None = None
    result: str = ""
    error: str = ""
    done_as: int = 0
    reference: str = ""
    doer: str = ""

    @property
    def key(self) -> tuple[str, int, bool]:
        return self.step, self.item, self.undo


_STEP_COLUMNS: Final = [_S[name] for name in StepRow.__dataclass_fields__]


@dataclass(frozen=True, kw_only=True)
class NewRun:
    """A run before it begins."""

    name: str
    #: text of the workflow's file
    source: str
    inputs: Mapping[str, Any]
    #: in whose audit chain its transitions stand
    agent: str
    #: ids of the workflow's steps
    steps: Sequence[str]
    started_by: str
    idempotency_key: str | None = None
    board: str = ""
    trace_id: str


@dataclass(frozen=True, kw_only=True)
class Forward:
    """One step forward of a run: the run afterwards, and its tasks before and after."""

    before: WorkflowRun
    state: State
    ending: State | None = None
    why: str = ""
    output: str | None = None
    tasks: Sequence[tuple[StepRow | None, StepRow]] = field(default_factory=tuple)


async def begin(unit: Unit, new: NewRun, now: datetime) -> tuple[WorkflowRun, bool]:
    """A run that waits for its driver; with False the one that was begun by the same person under
    the same key before.
    """
    await one_at_a_time(unit, "workflow_run")
    if new.idempotency_key is not None:
        same = (_R.started_by == new.started_by, _R.idempotency_key == new.idempotency_key)
        if before := await _many(unit, *same):
            return before[0], False
    newest = (await run(unit, sa.select(sa.func.max(_R.id)))).scalar() or 0
    values = {
        "id": newest + 1,
        "code": f"WF-{newest + 1}",
        "name": new.name,
        "source": new.source,
        "digest": hashlib.sha256(new.source.encode()).hexdigest(),
        "inputs": audit.canonical(new.inputs),
        "agent": new.agent,
        "state": str(State.WAITING),
        "ending": "",
        "why": "",
        "epoch": 0,
        "started_by": new.started_by,
        "idempotency_key": new.idempotency_key,
        "cancel_by": "",
        "board": new.board,
        "board_id": "",
        "board_digest": "",
        "started_at": now,
        "changed_at": now,
        "trace_id": new.trace_id,
    }
    added = await run(unit, sa.insert(WORKFLOW_RUN).values(**values).returning(*_COLUMNS))
    [begun] = _found(added)
    rows = [_values(begun, StepRow(step=name), now) for name in new.steps]
    await run(unit, sa.insert(WORKFLOW_STEP), rows)
    details = {"workflow": new.name, "digest": begun.digest, "inputs": sorted(new.inputs)}
    await _audit(unit, begun, "begin", f"{new.started_by} starts {new.name}", details, now)
    return begun, True


async def save(unit: Unit, forward: Forward, held: Held, now: datetime) -> WorkflowRun:
    """One step forward; the run afterwards. Raises `LeaseLost` when `held` is not held any more, or
    somebody else has driven this run since it was read: nothing is changed then.
    """
    await leases.require(unit, held, now)
    before = forward.before
    over = forward.state in FINAL
    change = sa.update(WORKFLOW_RUN).where(
        _R.id == before.id, _R.state == before.state, _R.epoch <= held.epoch
    )
    values = {
        "state": str(forward.state),
        "ending": str(forward.ending or ""),
        "why": forward.why,
        "output": forward.output,
        "epoch": held.epoch,
        "changed_at": now,
        "finished_at": now if over else None,
    }
    found = _found(await run(unit, change.values(**values).returning(*_COLUMNS)))
    if not found:
        raise LeaseLost(f"{before.code} is driven by somebody else.")
    for old, new in forward.tasks:
        await _store_task(unit, found[0], old, new, now)
    moved = [_moved(old, new) for old, new in forward.tasks if old is None or _differs(old, new)]
    if moved or forward.state != before.state:
        reason = forward.why or f"{before.state} → {forward.state}"
        details = {"from": before.state, "to": str(forward.state), "steps": moved}
        await _audit(unit, found[0], "transition", reason, details, now)
    return found[0]


async def refer(
    unit: Unit,
    of: WorkflowRun,
    task: StepRow,
    *,
    reference: str,
    doer: str,
    held: Held,
    now: datetime,
) -> None:
    """Who has this attempt, and under which code. Raises `LeaseLost` as `save`."""
    await leases.require(unit, held, now)
    change = sa.update(WORKFLOW_STEP).where(*_same(of, task))
    values = {"reference": reference, "doer": doer, "changed_at": now}
    if (await run(unit, change.values(**values))).rowcount != 1:
        raise LeaseLost(f"{of.code} is driven by somebody else.")


async def ask_cancel(unit: Unit, code: str, by: str, now: datetime) -> WorkflowRun | None:
    """Somebody wants it to end: its driver sees to that. The run; None when there is none.

    Who asks first is named; a run that is over stays as it is.
    """
    found = await by_code(unit, code)
    if found is None or found.state not in _OPEN or found.cancel_by:
        return found
    change = sa.update(WORKFLOW_RUN).where(
        _R.id == found.id, _R.state.in_(_OPEN), _R.cancel_by == ""
    )
    changed = _found(
        await run(unit, change.values(cancel_by=by, changed_at=now).returning(*_COLUMNS))
    )
    if changed:
        await _audit(unit, changed[0], "cancel", f"{by} wants it to end", {"by": by}, now)
    return await by_code(unit, code)


async def note_board(unit: Unit, run_id: int, message_id: str, digest: str) -> None:
    """Which message shows the run, and what it says."""
    change = sa.update(WORKFLOW_RUN).where(_R.id == run_id)
    await run(unit, change.values(board_id=message_id, board_digest=digest))


async def by_code(unit: Unit, code: str) -> WorkflowRun | None:
    """What people call so, in any case; an index finds it as codes are made."""
    rows = await _many(unit, _R.code == code.upper())
    return rows[0] if rows else None


async def unfinished(unit: Unit) -> list[WorkflowRun]:
    """Runs that are not over, oldest first."""
    return await _many(unit, _R.state.in_(_OPEN))


async def any_unfinished(unit: Unit) -> bool:
    query = sa.select(_R.id).where(_R.state.in_(_OPEN)).limit(1)
    return (await run(unit, query)).one_or_none() is not None


async def shown_on(unit: Unit, network: str, since: datetime) -> list[WorkflowRun]:
    """Runs that a message on this network shows and that are not over, or ended since then."""
    # Each half has an index, as long as nothing else is asked for.
    recent = sa.or_(_R.state.in_(_OPEN), _R.finished_at > since)
    found = _found(await run(unit, sa.select(*_COLUMNS).where(recent)))
    return [one for one in found if one.board.startswith(f"{network}:")]


async def recent(unit: Unit, limit: int) -> list[WorkflowRun]:
    """The newest runs, newest first."""
    query = sa.select(*_COLUMNS).order_by(_R.id.desc()).limit(limit)
    return _found(await run(unit, query))


async def tasks(unit: Unit, run_id: int) -> list[StepRow]:
    """Everything that the run consists of, in the order in which it came to be."""
    query = sa.select(*_STEP_COLUMNS).where(_S.run_id == run_id).order_by(_S.id)
    return [_row(row) for row in (await run(unit, query)).mappings()]


async def prune(unit: Unit, before: datetime) -> int:
    """Forget runs that ended before then; returns how many. The newest stays: its successor's code
    must be a new one, for delegations remember it.
    """
    newest = sa.select(sa.func.max(_R.id)).scalar_subquery()
    old = sa.select(_R.id).where(_R.finished_at < before, _R.id < newest)
    ids = list((await run(unit, old)).scalars())
    if ids:
        await run(unit, sa.delete(WORKFLOW_STEP).where(_S.run_id.in_(ids)))
        await run(unit, sa.delete(WORKFLOW_RUN).where(_R.id.in_(ids)))
    return len(ids)


async def _store_task(
    unit: Unit, of: WorkflowRun, old: StepRow | None, new: StepRow, now: datetime
) -> None:
    if old is None:
        added = insert(unit, WORKFLOW_STEP).values(**_values(of, new, now))
        one = added.on_conflict_do_nothing(index_elements=["run_id", "step", "item", "undo"])
        changed = len((await run(unit, one.returning(_S.id))).all())
    else:
        if new.attempt != old.attempt:
            # Another attempt is with nobody yet.
            new = replace(new, reference="", doer="")
        change = sa.update(WORKFLOW_STEP).where(*_same(of, old))
        changed = (await run(unit, change.values(**_values(of, new, now)))).rowcount
    if changed != 1:
        raise LeaseLost(f"{of.code} is driven by somebody else.")


def _same(of: WorkflowRun, task: StepRow) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        _S.run_id == of.id,
        _S.step == task.step,
        _S.item == task.item,
        _S.undo == task.undo,
        _S.state == str(task.state),
        _S.attempt == task.attempt,
    )


def _differs(old: StepRow, new: StepRow) -> bool:
    return (old.state, old.attempt) != (new.state, new.attempt)


def _moved(old: StepRow | None, new: StepRow) -> dict[str, Any]:
    told = {"step": new.step, "from": str(old.state) if old else "", "to": str(new.state)}
    more: dict[str, Any] = {"attempt": new.attempt} if new.attempt else {}
    if new.item >= 0:
        more["item"] = new.item
    if new.undo:
        more["undo"] = True
    return told | more


async def _audit(  # noqa: PLR0917  what, why, with what and when: a sentence
    unit: Unit, of: WorkflowRun, verb: str, reason: str, details: Mapping[str, Any], now: datetime
) -> None:
    await audit.append(
        unit,
        agent=of.agent,
        at=now,
        verb=verb,
        target=f"workflow:{of.code}",
        outcome="done",
        reason=reason,
        details=details,
        trace_id=of.trace_id,
    )


def _values(of: WorkflowRun, task: StepRow, now: datetime) -> dict[str, Any]:
    values = {name: getattr(task, name) for name in StepRow.__dataclass_fields__}
    values |= {"state": str(task.state), "value": json.dumps(task.value)}
    return values | {"run_id": of.id, "changed_at": now}


def _row(row: Mapping[Any, Any]) -> StepRow:
    values = dict(row)
    values["state"] = State(values["state"])
    values["value"] = json.loads(values["value"])
    return StepRow(**values)


async def _many(unit: Unit, *where: sa.ColumnElement[bool]) -> list[WorkflowRun]:
    return _found(await run(unit, sa.select(*_COLUMNS).where(*where).order_by(_R.id)))


def _found(rows: Rows) -> list[WorkflowRun]:
    return [WorkflowRun(**row) for row in rows.mappings()]
