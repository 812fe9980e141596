"""Questions to people: `pending → approved → completed`, or `rejected | expired`.

Each step is one UPDATE guarded by the state that it leaves, in one transaction with its entry in
the audit chain: whoever decides first has decided, however many press at once and wherever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from storage import audit
from storage.core import HUMAN_REQUEST, one_at_a_time, run
from storage.tables import HumanRequest, RequestState
from storage.unit import Unit

_COLUMNS: Final = [HUMAN_REQUEST.c[name] for name in HumanRequest.model_fields]
_PENDING: Final = str(RequestState.PENDING)
_APPROVED: Final = str(RequestState.APPROVED)
#: what a request may become from what it is
NEXT: Final[Mapping[RequestState, frozenset[RequestState]]] = {
    RequestState.PENDING: frozenset(
        {RequestState.APPROVED, RequestState.REJECTED, RequestState.EXPIRED}
    ),
    RequestState.APPROVED: frozenset({RequestState.COMPLETED}),
    RequestState.COMPLETED: frozenset(),
    RequestState.REJECTED: frozenset(),
    RequestState.EXPIRED: frozenset(),
}


@dataclass(frozen=True)
class Approvers:
    """Who may decide: ids on the network where the question is shown."""

    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    def include(self, user: str | None, roles: Sequence[str]) -> bool:
        return user in self.users or any(role in self.roles for role in roles)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One question as plain values; see `storage.tables.HumanRequest` for the columns."""

    id: int
    code: str
    agent: str
    kind: str
    subject: str
    title: str
    facts: tuple[tuple[str, str], ...]
    asked_by: str
    approvers: Approvers
    network: str
    channel: str
    message_id: str | None
    shown: str
    #: so many different people have to say yes; until then `note` says who did
    quorum: int = 1
    state: RequestState
    created_at: datetime
    expires_at: datetime
    decided_by: str
    evidence: Mapping[str, Any]
    decided_at: datetime | None
    note: str
    outcome: str
    trace_id: str


@dataclass(frozen=True, kw_only=True)
class NewRequest:
    """A question before it is asked; no field may hold a secret."""

    agent: str
    kind: str
    subject: str
    title: str
    facts: tuple[tuple[str, str], ...] = ()
    asked_by: str
    approvers: Approvers
    network: str
    channel: str
    quorum: int = 1
    expires_at: datetime
    trace_id: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Somebody's yes or no; that they may decide is the caller's to have checked."""

    approved: bool
    by: str
    #: what shows that they may, for whoever carries it out
    evidence: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


async def open_one(unit: Unit, new: NewRequest, now: datetime) -> Request:
    """Ask: a new pending request, with the next code."""
    await one_at_a_time(unit, "human_request")
    c = HUMAN_REQUEST.c
    newest = (await run(unit, sa.select(sa.func.max(c.id)))).scalar() or 0
    values = {
        "id": newest + 1,
        "code": f"AP-{newest + 1}",
        "agent": new.agent,
        "kind": new.kind,
        "subject": new.subject,
        "title": new.title,
        "facts": audit.canonical([list(fact) for fact in new.facts]),
        "asked_by": new.asked_by,
        "approvers": audit.canonical(
            {"users": list(new.approvers.users), "roles": list(new.approvers.roles)}
        ),
        "network": new.network,
        "channel": new.channel,
        "shown": "",
        "quorum": new.quorum,
        "state": _PENDING,
        "created_at": now,
        "expires_at": new.expires_at,
        "decided_by": "",
        "evidence": "{}",
        "note": "",
        "outcome": "",
        "trace_id": new.trace_id,
    }
    row = await run(unit, sa.insert(HUMAN_REQUEST).values(**values).returning(*_COLUMNS))
    request = _request(row.mappings().one())
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
    expired = [_request(row) for row in rows.mappings()]
    for request in expired:
        why = "nobody decided in time"
        await _audit(unit, request, RequestState.PENDING, RequestState.EXPIRED, why, now)
    return expired


async def complete(unit: Unit, request_id: int, outcome: str, now: datetime) -> Request | None:
    """Approved → completed, with what came of it; None when it was not approved, or is over."""
    c = HUMAN_REQUEST.c
    change = sa.update(HUMAN_REQUEST).where(c.id == request_id, c.state == _APPROVED)
    request = await _changed(
        unit, change.values(state=str(RequestState.COMPLETED), outcome=outcome)
    )
    if request is not None:
        await _audit(
            unit, request, RequestState.APPROVED, RequestState.COMPLETED, outcome or "done", now
        )
    return request


async def read(unit: Unit, request_id: int) -> Request | None:
    return await _one(unit, HUMAN_REQUEST.c.id == request_id)


async def pending(unit: Unit, agent: str | None = None) -> list[Request]:
    """What waits for a decision (of one agent), oldest first."""
    c = HUMAN_REQUEST.c
    return await _many(unit, c.state == _PENDING, *([c.agent == agent] if agent else []))


async def count_of(unit: Unit, asked_by: str, since: datetime) -> int:
    """How many questions this person has asked since then."""
    c = HUMAN_REQUEST.c
    query = sa.select(sa.func.count()).where(c.asked_by == asked_by, c.created_at > since)
    return (await run(unit, query)).scalar() or 0


async def approved(unit: Unit, agent: str) -> list[Request]:
    """What `agent` has to carry out, oldest first."""
    return await _many(unit, HUMAN_REQUEST.c.agent == agent, HUMAN_REQUEST.c.state == _APPROVED)


async def unshown(unit: Unit, agent: str, network: str) -> list[Request]:
    """Requests of `agent` whose message does not say yet what became of them, oldest first."""
    c = HUMAN_REQUEST.c
    return await _many(unit, c.agent == agent, c.network == network, c.shown != c.state)


async def note_shown(
    unit: Unit, request_id: int, state: RequestState | str, message_id: str | None = None
) -> None:
    """The message (a new one, where its id is given) shows the request in this state."""
    values: dict[str, Any] = {"shown": str(state)}
    if message_id is not None:
        values["message_id"] = message_id
    change = sa.update(HUMAN_REQUEST).where(HUMAN_REQUEST.c.id == request_id)
    await run(unit, change.values(**values))


async def _changed(unit: Unit, change: sa.Update) -> Request | None:
    row = (await run(unit, change.returning(*_COLUMNS))).mappings().one_or_none()
    return None if row is None else _request(row)


async def _one(unit: Unit, where: sa.ColumnElement[bool]) -> Request | None:
    row = (await run(unit, sa.select(*_COLUMNS).where(where))).mappings().one_or_none()
    return None if row is None else _request(row)


async def _many(unit: Unit, *where: sa.ColumnElement[bool]) -> list[Request]:
    query = sa.select(*_COLUMNS).where(*where).order_by(HUMAN_REQUEST.c.id)
    return [_request(row) for row in (await run(unit, query)).mappings()]


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
            "by": request.decided_by,
        },
        trace_id=request.trace_id,
    )


def _request(row: Mapping[Any, Any]) -> Request:
    values = dict(row)
    approvers = json.loads(values["approvers"])
    values["facts"] = tuple((label, value) for label, value in json.loads(values["facts"]))
    values["approvers"] = Approvers(tuple(approvers["users"]), tuple(approvers["roles"]))
    values["evidence"] = json.loads(values["evidence"])
    values["state"] = RequestState(values["state"])
    return Request(**values)
