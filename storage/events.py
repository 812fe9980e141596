"""Events: what happened, told in the very transaction in which it happened, and handed out in one
order.

Whoever records one gives it no number: on PostgreSQL a later id may be seen before an earlier one.
The dispatcher numbers what is committed, and gives each event to every receiver who wants it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from storage.core import EVENT, EVENT_DELIVERY, SUBSCRIPTION, insert, one_at_a_time, run
from storage.delegation_tables import Delegation, DelegationState
from storage.event_tables import Event, EventState
from storage.latch import ALL, Latch
from storage.subscriptions import receiver_of
from storage.text import storable
from storage.topics import matches
from storage.unit import Unit

#: characters of one event's sentence
LONGEST: Final = 300
#: events that are handed out in one transaction
_BITE: Final = 200
#: bites that one reader is given at a time
_PAGES: Final = 10
_HOW: Final = {
    DelegationState.DONE: "is done",
    DelegationState.FAILED: "has failed",
    DelegationState.CANCELLED: "was cancelled",
    DelegationState.EXPIRED: "was not done in time",
}
_ADD: Final = sa.insert(EVENT)
_COLUMNS: Final = [EVENT.c[name] for name in Event.model_fields]


@dataclass(frozen=True)
class Wish:
    """One subscription, as far as handing out needs it."""

    id: int
    receiver: str
    topic: str
    #: empty: nobody says it, it is kept until the receiver asks
    address: str
    created_at: datetime


async def record(
    unit: Unit,
    *,
    topic: str,
    agent: str,
    text: str,
    at: datetime,
    ref: str = "",
    trace_id: str = "",
) -> None:
    """It happened, if the transaction of `unit` commits. `text` is one sentence that anybody may
    read: without secrets, without what was said in private.
    """
    said = " ".join(storable(text).split())
    if len(said) > LONGEST:
        said = f"{said[: LONGEST - 1]}…"
    values = {"topic": topic, "agent": agent, "text": said, "ref": ref, "at": at}
    await run(unit, _ADD, values | {"trace_id": trace_id})


async def delegation_ended(unit: Unit, ended: Delegation, now: datetime) -> None:
    """Its outcome is recorded in this very transaction. What was asked, and why it failed, are for
    those who may read the delegation.
    """
    if ended.kind != "task":
        return
    await record(
        unit,
        topic=f"delegation.{ended.state}",
        agent=ended.agent,
        text=f"what {ended.sender} gave {ended.agent} {_HOW[DelegationState(ended.state)]}",
        at=now,
        ref=f"delegation:{ended.code}",
        trace_id=ended.trace_id,
    )


async def steered(unit: Unit, order: Latch, agent: str) -> None:
    """A kill or a resume was carried out; of several supervisors that carry it out the first one
    tells. The reason is for those who read the audit: people write all sorts of things there.
    """
    topic, ref = "kill" if order.killed else "kill.resumed", f"kill:{order.scope}"
    await one_at_a_time(unit, ref)
    c = EVENT.c
    told = sa.select(c.id).where(c.at == order.changed_at, c.topic == topic, c.ref == ref)
    if (await run(unit, told)).first() is not None:
        return
    who = "everybody" if order.scope == ALL else order.scope
    did = "killed" if order.killed else "resumed"
    text = f"{who} was {did} by {order.by} ({order.door})"
    await record(unit, topic=topic, agent=agent, text=text, at=order.changed_at, ref=ref)


async def is_waiting(unit: Unit) -> bool:
    """Some event is not handed out yet."""
    query = sa.select(EVENT.c.id).where(EVENT.c.number.is_(None)).limit(1)
    return (await run(unit, query)).first() is not None


async def hand_out(unit: Unit, now: datetime) -> int:
    """Number the oldest events that have no number, and give them to who wants them; returns how
    many there were. Several dispatchers at once take turns.
    """
    await one_at_a_time(unit, "events")
    query = sa.select(*_COLUMNS).where(EVENT.c.number.is_(None)).order_by(EVENT.c.id)
    events = [Event(**row) for row in (await run(unit, query.limit(_BITE))).mappings()]
    if not events:
        return 0
    last = (await run(unit, sa.select(sa.func.max(EVENT.c.number)))).scalar() or 0
    change = (
        sa.update(EVENT).where(EVENT.c.id == sa.bindparam("row")).values(number=sa.bindparam("n"))
    )
    await run(unit, change, [{"row": e.id, "n": last + i} for i, e in enumerate(events, 1)])
    wishes = await _wishes(unit)
    rows = [row for event in events for row in _deliveries(event, wishes, now)]
    if rows:
        add = insert(unit, EVENT_DELIVERY).on_conflict_do_nothing(
            index_elements=["event_id", "receiver"]
        )
        await run(unit, add, rows)
    return len(events)


async def since(
    unit: Unit, number: int, pattern: str = "*", limit: int = 100
) -> tuple[list[Event], int]:
    """Events behind `number` that `pattern` names, in their order, at most `limit`; and the number
    behind which to ask next, for not all that there are may have been looked at.
    """
    found: list[Event] = []
    for _ in range(_PAGES):
        query = sa.select(*_COLUMNS).where(EVENT.c.number > number).order_by(EVENT.c.number)
        page = [Event(**row) for row in (await run(unit, query.limit(_BITE))).mappings()]
        for event in page:
            number = event.number or number
            if matches(pattern, event.topic):
                found.append(event)
            if len(found) == limit:
                return found, number
        if len(page) < _BITE:
            break
    return found, number


async def prune(unit: Unit, before: datetime, limit: int) -> int:
    """Forget at most `limit` events from before `before`, whoever has not read them, and who once
    wanted to be told of them; returns how many events.
    """
    old = sa.select(EVENT.c.id).where(EVENT.c.at < before).order_by(EVENT.c.at).limit(limit)
    ids = list((await run(unit, old)).scalars())
    if ids:
        await run(unit, sa.delete(EVENT_DELIVERY).where(EVENT_DELIVERY.c.event_id.in_(ids)))
        await run(unit, sa.delete(EVENT).where(EVENT.c.id.in_(ids)))
    s, d = SUBSCRIPTION.c, EVENT_DELIVERY.c
    over = sa.delete(SUBSCRIPTION).where(s.ended_at < before)
    await run(unit, over.where(~sa.exists().where(d.subscription_id == s.id)))
    return len(ids)


async def _wishes(unit: Unit) -> Sequence[Wish]:
    c = SUBSCRIPTION.c
    query = sa.select(c.id, c.receiver, c.topic, c.address, c.created_at)
    return [Wish(*row) for row in await run(unit, query.where(c.ended_at.is_(None)).order_by(c.id))]


def _deliveries(event: Event, wishes: Iterable[Wish], now: datetime) -> Iterable[dict[str, object]]:
    """One row a receiver: his oldest subscription that names the event."""
    given: set[str] = set()
    for wish in wishes:
        # What an agent does itself is no news to it, and must not wake it.
        is_own = wish.receiver == receiver_of(event.agent)
        is_older = event.at < wish.created_at
        if wish.receiver in given or is_own or is_older or not matches(wish.topic, event.topic):
            continue
        given.add(wish.receiver)
        state = EventState.WAITING if wish.address else EventState.UNREAD
        yield {
            "event_id": event.id,
            "subscription_id": wish.id,
            "receiver": wish.receiver,
            "state": str(state),
            "batch": "",
            "failures": 0,
            "reason": "",
            "changed_at": now,
        }
