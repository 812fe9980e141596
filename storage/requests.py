"""Questions to people: `pending → approved → completed`, or `rejected | expired`.

Each step is one UPDATE guarded by the state that it leaves, in one transaction with its entry in
the audit chain: whoever decides first has decided, however many press at once and wherever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from storage import audit
from storage.core import HUMAN_REQUEST, one_at_a_time, run
from storage.request import NEXT, Approvers, Completion, Decision, NewRequest, Request
from storage.request_rows import first_values, money_of, request_of
from storage.request_tables import HumanRequest
from storage.tables import RequestState
from storage.unit import Unit

__all__ = [
    "NEXT",
    "Approvers",
    "Completion",
    "Decision",
    "NewRequest",
    "Request",
    "approved",
    "asked_before",
    "by_codes",
    "complete",
    "completed",
    "count_of",
    "decide",
    "expire",
    "note_shown",
    "note_told",
    "open_one",
    "pending",
    "read",
    "undone",
    "unshown",
    "untold",
]

_COLUMNS: Final = [HUMAN_REQUEST.c[name] for name in HumanRequest.model_fields]
_PENDING: Final = str(RequestState.PENDING)
_APPROVED: Final = str(RequestState.APPROVED)
#: nothing more comes of it
_OVER: Final = [str(state) for state, following in NEXT.items() if not following]


async def open_one(unit: Unit, new: NewRequest, now: datetime) -> Request:
    """Ask: a new pending request, with the next code."""
    await one_at_a_time(unit, "human_request")
    c = HUMAN_REQUEST.c
    newest = (await run(unit, sa.select(sa.func.max(c.id)))).scalar() or 0
    values = {"id": newest + 1, "code": f"AP-{newest + 1}", **first_values(new, now)}
    row = await run(unit, sa.insert(HUMAN_REQUEST).values(**values).returning(*_COLUMNS))
    request = request_of(row.mappings().one())
    reason = f"{new.asked_by} asks: {new.title}"
    await _audit(unit, request, "", RequestState.PENDING, reason, now)
    return request


async def decide(unit: Unit, request_id: int, decision: Decision, now: datetime) -> Request | None:
    """Pending and not yet due → approved or rejected; None when that is over, see `read`."""
    c = HUMAN_REQUEST.c
    state = RequestState.APPROVED if decision.approved else RequestState.REJECTED
    change = sa.update(HUMAN_REQUEST).where(
        c.id == request_id, c.state == _PENDING, c.expires_at > now
    )
    request = await _changed(
        unit,
        change.values(
            state=str(state),
            decided_by=decision.by,
            evidence=audit.canonical(decision.evidence),
            decided_at=now,
            note=decision.note,
        ),
    )
    if request is not None:
        reason = f"{state} by {decision.by}" + (f": {decision.note}" if decision.note else "")
        await _audit(unit, request, RequestState.PENDING, state, reason, now)
    return request


async def expire(unit: Unit, agent: str, now: datetime) -> list[Request]:
    """Pending and due → expired, for all requests of `agent`; those that changed."""
    c = HUMAN_REQUEST.c
    over = (c.agent == agent, c.state == _PENDING, c.expires_at <= now)
    change = sa.update(HUMAN_REQUEST).where(*over)
    values = {"state": str(RequestState.EXPIRED), "decided_at": c.expires_at}
    rows = await run(unit, change.values(**values).returning(*_COLUMNS))
    expired = [request_of(row) for row in rows.mappings()]
    for request in expired:
        why = "nobody decided in time"
        await _audit(unit, request, RequestState.PENDING, RequestState.EXPIRED, why, now)
    return expired


async def complete(
    unit: Unit, request_id: int, outcome: str, now: datetime, bill: Completion | None = None
) -> Request | None:
    """Approved → completed, with what came of it; None when it was not approved, or is over."""
    c = HUMAN_REQUEST.c
    change = sa.update(HUMAN_REQUEST).where(c.id == request_id, c.state == _APPROVED)
    values: dict[str, Any] = {
        "state": str(RequestState.COMPLETED),
        "outcome": outcome,
        "completed_at": now,
    }
    if bill is not None:
        values |= {
            "completed_by": bill.by,
            "currency": bill.currency,
            "paid_micros": bill.paid_micros,
            "earned_micros": bill.earned_micros,
        }
    request = await _changed(unit, change.values(**values))
    if request is not None:
        await _audit(
            unit, request, RequestState.APPROVED, RequestState.COMPLETED, outcome or "done", now
        )
    return request


async def read(unit: Unit, request_id: int) -> Request | None:
    return await _one(unit, HUMAN_REQUEST.c.id == request_id)


async def by_codes(unit: Unit, codes: Sequence[str]) -> list[Request]:
    """Those that people call so."""
    return await _many(unit, HUMAN_REQUEST.c.code.in_(codes))


async def pending(unit: Unit, agent: str | None = None) -> list[Request]:
    """What waits for a decision (of one agent), oldest first."""
    c = HUMAN_REQUEST.c
    return await _many(unit, c.state == _PENDING, *([c.agent == agent] if agent else []))


async def undone(unit: Unit) -> list[Request]:
    """What people still have to decide, or to do, oldest first."""
    c = HUMAN_REQUEST.c
    found = await _many(unit, c.state.in_([_PENDING, _APPROVED]))
    return [r for r in found if r.state is RequestState.PENDING or r.is_by_hand]


async def completed(unit: Unit, since: datetime, until: datetime) -> list[Request]:
    """What was completed from `since` on and before `until`, in the order of that."""
    c = HUMAN_REQUEST.c
    query = sa.select(*_COLUMNS).where(
        c.state == str(RequestState.COMPLETED), c.completed_at >= since, c.completed_at < until
    )
    rows = await run(unit, query.order_by(c.completed_at, c.id))
    return [request_of(row) for row in rows.mappings()]


async def count_of(unit: Unit, asked_by: str, since: datetime, kinds: Sequence[str]) -> int:
    """How many questions of these kinds this one has asked since then."""
    c = HUMAN_REQUEST.c
    query = sa.select(sa.func.count()).where(
        c.asked_by == asked_by, c.created_at > since, c.kind.in_(kinds)
    )
    return (await run(unit, query)).scalar() or 0


async def asked_before(unit: Unit, new: NewRequest) -> Request | None:
    """The same question of the same turn, whatever became of it."""
    c = HUMAN_REQUEST.c
    found = await _many(
        unit,
        c.trace_id == new.trace_id,
        c.kind == new.kind,
        c.subject == new.subject,
        c.waiter == new.waiter,
        c.cost_micros.is_not_distinct_from(new.cost_micros),
        c.trace_id != "",
        c.waiter != "",
    )
    return found[0] if found else None


async def approved(unit: Unit, agent: str) -> list[Request]:
    """What `agent` has to carry out, oldest first."""
    return await _many(unit, HUMAN_REQUEST.c.agent == agent, HUMAN_REQUEST.c.state == _APPROVED)


async def unshown(unit: Unit, agent: str, network: str) -> list[Request]:
    """Requests of `agent` whose message does not say yet what became of them, oldest first."""
    c = HUMAN_REQUEST.c
    return await _many(unit, c.agent == agent, c.network == network, c.shown != c.state)


async def note_shown(
    unit: Unit,
    request_id: int,
    state: RequestState | str,
    message_id: str | None = None,
    *,
    note: str = "",
) -> None:
    """The message (a new one, where its id is given) shows the request in this state and with this
    note: one that was changed meanwhile is still to be shown.
    """
    c = HUMAN_REQUEST.c
    values: dict[str, Any] = {"shown": sa.case((c.note == note, str(state)), else_=c.shown)}
    if message_id is not None:
        values["message_id"] = message_id
    change = sa.update(HUMAN_REQUEST).where(c.id == request_id)
    await run(unit, change.values(**values))


async def untold(unit: Unit, agent: str) -> list[Request]:
    """Requests of `agent` that are over and whose waiter has not been told, oldest first."""
    c = HUMAN_REQUEST.c
    return await _many(
        unit, c.agent == agent, c.waiter != "", c.state.in_(_OVER), c.told != c.state
    )


async def note_told(unit: Unit, request_id: int, state: RequestState) -> bool:
    """The waiter knows; False when it did already."""
    c = HUMAN_REQUEST.c
    change = sa.update(HUMAN_REQUEST).where(c.id == request_id, c.told != str(state))
    return (await run(unit, change.values(told=str(state)))).rowcount == 1


async def note_lost(unit: Unit, request_id: int) -> None:
    """The message that showed it is gone: it is to be shown anew."""
    change = sa.update(HUMAN_REQUEST).where(HUMAN_REQUEST.c.id == request_id)
    await run(unit, change.values(shown="", message_id=None))


async def _changed(unit: Unit, change: sa.Update) -> Request | None:
    row = (await run(unit, change.returning(*_COLUMNS))).mappings().one_or_none()
    return None if row is None else request_of(row)


async def _one(unit: Unit, where: sa.ColumnElement[bool]) -> Request | None:
    row = (await run(unit, sa.select(*_COLUMNS).where(where))).mappings().one_or_none()
    return None if row is None else request_of(row)


async def _many(unit: Unit, *where: sa.ColumnElement[bool]) -> list[Request]:
    query = sa.select(*_COLUMNS).where(*where).order_by(HUMAN_REQUEST.c.id)
    return [request_of(row) for row in (await run(unit, query)).mappings()]


async def _audit(  # noqa: PLR0917  from, to, why and when: a sentence
    unit: Unit,
    request: Request,
    before: RequestState | str,
    after: RequestState,
    reason: str,
    now: datetime,
) -> None:
    await audit.append(
        unit,
        agent=request.agent,
        at=now,
        verb="transition",
        target=f"request:{request.code}",
        outcome="done",
        reason=reason,
        details={
            "from": str(before),
            "to": str(after),
            "kind": request.kind,
            "subject": request.subject,
            "by": request.completed_by or request.decided_by,
        }
        | money_of(request),
        trace_id=request.trace_id,
    )
