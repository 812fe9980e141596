"""Events on their way to those who want them: `waiting → saying → told | unknown | dead`, or kept
`unread` until the receiver asks, then `read`.

A batch is taken in the transaction that records its lines as `sending`, so the reply rows tell what
became of it whoever died meanwhile: without rows nothing has left, and it waits again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from storage.core import EVENT, EVENT_DELIVERY, REPLY, SUBSCRIPTION, run
from storage.errors import LeaseLost
from storage.event_tables import EventState, Subscription
from storage.tables import ReplyState
from storage.unit import Unit

#: tries before a batch is given up
MOST_FAILURES: Final = 5
#: doubled by every failure
_REST: Final = timedelta(seconds=30)
#: what a receiver who asks is shown
KEPT: Final = (EventState.WAITING, EventState.UNREAD, EventState.UNKNOWN, EventState.DEAD)
#: lines of one batch
_LINES: Final = 64
_D: Final = EVENT_DELIVERY.c
_SUBSCRIPTION: Final = [SUBSCRIPTION.c[name] for name in Subscription.model_fields]


#: subscription → state → how many
Counts = dict[int, dict[EventState, int]]


@dataclass(frozen=True)
class Waiting:
    """What is to be said under one subscription."""

    subscription: Subscription
    #: since when the first of them waits
    since: datetime
    count: int


@dataclass(frozen=True)
class Notice:
    """One event for one receiver."""

    id: int
    state: str
    reason: str
    topic: str
    agent: str
    text: str
    ref: str
    at: datetime


async def waiting(unit: Unit, now: datetime) -> list[Waiting]:
    """What is to be said, and rests no longer after a failure."""
    groups = (
        sa.select(_D.subscription_id, sa.func.min(_D.changed_at).label("since"))
        .add_columns(sa.func.count().label("number"))
        .where(_D.state == str(EventState.WAITING))
        .group_by(_D.subscription_id)
        .subquery()
    )
    c = SUBSCRIPTION.c
    query = (
        sa.select(*_SUBSCRIPTION, groups.c.since, groups.c.number)
        .join(groups, groups.c.subscription_id == c.id)
        .where(sa.or_(c.not_before.is_(None), c.not_before <= now))
        .order_by(c.id)
    )
    rows = [dict(row) for row in (await run(unit, query)).mappings()]
    return [
        Waiting(since=row.pop("since"), count=row.pop("number"), subscription=Subscription(**row))
        for row in rows
    ]


async def to_say(unit: Unit, subscriptions: Collection[int], limit: int) -> list[Notice]:
    """The oldest that wait under these subscriptions."""
    where = (_D.state == str(EventState.WAITING), _D.subscription_id.in_(subscriptions))
    return await _notices(unit, where, limit)


async def begin(
    unit: Unit, notices: Sequence[Notice], batch: str, replies: Sequence[int], now: datetime
) -> None:
    """These are being said as `replies`, whose trace is `batch`. Raises `LeaseLost` when some of
    them wait no longer: another process is saying them, or the receiver has asked.
    """
    ids = [notice.id for notice in notices]
    values = {"state": str(EventState.SAYING), "batch": batch, "changed_at": now}
    change = sa.update(EVENT_DELIVERY).where(_D.id.in_(ids), _D.state == str(EventState.WAITING))
    taken = await run(unit, change.values(reply_id=min(replies, default=None), **values))
    if taken.rowcount != len(ids):
        raise LeaseLost("Another process tells these events, or they were read meanwhile.")


async def saying(unit: Unit) -> dict[str, int | None]:
    """The batches that are being said, and the first reply row of each."""
    query = sa.select(_D.batch, sa.func.min(_D.reply_id).label("first")).group_by(_D.batch)
    rows = await run(unit, query.where(_D.state == str(EventState.SAYING)))
    return {row.batch: row.first for row in rows}


async def settle(unit: Unit, now: datetime, *, busy: Collection[str] = ()) -> int:
    """Write down what became of the batches that were being said, but for those of which a line is
    still on its way and the `busy` ones; returns how many have ended.
    """
    found = await saying(unit)
    ended = [await _settled(unit, b, found[b], now) for b in found if b not in busy]
    return sum(ended)


async def fail(unit: Unit, notices: Sequence[Notice], reason: str, now: datetime) -> None:
    """These could not be said; the fifth time they are given up."""
    await _failed(unit, _D.id.in_([notice.id for notice in notices]), reason, now)


async def unread(
    unit: Unit, receiver: str, limit: int, *, after: int = 0
) -> tuple[list[Notice], int]:
    """The oldest that `receiver` has not read, behind the delivery `after`, and how many there are
    in all.
    """
    where = (_D.receiver == receiver, _D.state.in_(KEPT), _D.id > after)
    count = (await run(unit, sa.select(sa.func.count()).where(*where))).scalar_one()
    return await _notices(unit, where, limit), count


async def read(unit: Unit, notices: Sequence[Notice], now: datetime) -> None:
    """The receiver was shown these."""
    ids = [notice.id for notice in notices]
    change = sa.update(EVENT_DELIVERY).where(_D.id.in_(ids), _D.state.in_(KEPT))
    await run(unit, change.values(state=str(EventState.READ), changed_at=now))


async def counts(unit: Unit, receiver: str) -> Counts:
    """How many of each state there are under each subscription of `receiver`."""
    query = (
        sa.select(_D.subscription_id, _D.state, sa.func.count())
        .where(_D.receiver == receiver)
        .group_by(_D.subscription_id, _D.state)
    )
    found: Counts = {}
    for subscription, state, number in await run(unit, query):
        found.setdefault(subscription, {})[EventState(state)] = number
    return found


async def _notices(unit: Unit, where: Sequence[sa.ColumnElement[bool]], limit: int) -> list[Notice]:
    e = EVENT.c
    query = (
        sa.select(_D.id, _D.state, _D.reason, e.topic, e.agent, e.text, e.ref, e.at)
        .join(EVENT, e.id == _D.event_id)
        .where(*where)
        .order_by(_D.id)
        .limit(limit)
    )
    return [Notice(*row) for row in await run(unit, query)]


async def _settled(unit: Unit, batch: str, reply_id: int | None, now: datetime) -> bool:
    lines = sa.select(REPLY.c.state, REPLY.c.proof).where(REPLY.c.trace_id == batch)
    if reply_id is not None:
        # By the primary key: a record of replies is large, and their trace has no index.
        lines = lines.where(REPLY.c.id >= reply_id).order_by(REPLY.c.id).limit(_LINES)
    rows = (await run(unit, lines)).all()
    states = {row.state for row in rows}
    ours = sa.and_(_D.batch == batch, _D.state == str(EventState.SAYING))
    if ReplyState.SENDING in states:
        return False
    if rows and states == {str(ReplyState.FAILED)}:
        await _failed(unit, ours, rows[0].proof, now)
        return True
    state, reason = EventState.WAITING, ""
    if rows:
        unproved = [row.proof for row in rows if row.state != ReplyState.SENT]
        state = EventState.UNKNOWN if unproved else EventState.TOLD
        reason = unproved[0] if unproved else ""
        await _trouble(unit, ours, "", None)
    change = sa.update(EVENT_DELIVERY).where(ours)
    await run(unit, change.values(state=str(state), reason=reason, changed_at=now))
    return True


async def _failed(unit: Unit, which: sa.ColumnElement[bool], reason: str, now: datetime) -> None:
    worst = sa.select(sa.func.max(_D.failures)).where(which)
    failures = ((await run(unit, worst)).scalar() or 0) + 1
    await _trouble(unit, which, reason, now + _REST * 2 ** min(failures - 1, 6))
    dead, waits = str(EventState.DEAD), str(EventState.WAITING)
    values = {
        "state": sa.case((_D.failures + 1 >= MOST_FAILURES, dead), else_=waits),
        "failures": _D.failures + 1,
        "reason": reason,
        "changed_at": now,
    }
    await run(unit, sa.update(EVENT_DELIVERY).where(which).values(**values))


async def _trouble(
    unit: Unit, which: sa.ColumnElement[bool], reason: str, not_before: datetime | None
) -> None:
    whose = sa.select(_D.subscription_id).where(which)
    change = sa.update(SUBSCRIPTION).where(SUBSCRIPTION.c.id.in_(whose))
    await run(unit, change.values(trouble=reason, not_before=not_before))
