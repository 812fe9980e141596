"""Who wants to be told of what: kept in the store, ended rather than deleted, audited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from storage import audit
from storage.core import EVENT_DELIVERY, SUBSCRIPTION, insert, one_at_a_time, run
from storage.errors import StorageError
from storage.event_tables import EventState, Subscription
from storage.unit import Unit

#: that one receiver may have
MOST: Final = 20
LONGEST_BATCH_S: Final = 86_400
_COLUMNS: Final = [SUBSCRIPTION.c[name] for name in Subscription.model_fields]
_HOLDS: Final = SUBSCRIPTION.c.ended_at.is_(None)


class TooMany(StorageError):
    """A receiver has as many subscriptions as it may have."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A subscription to be made; see `storage.event_tables.Subscription`."""

    receiver: str
    topic: str
    #: typed address where it is said; empty: kept until the receiver asks
    address: str = ""
    made_by: str
    quiet_from: str = ""
    quiet_until: str = ""
    zone: str = ""
    batch_s: int = 5


def receiver_of(agent: str) -> str:
    """How an agent's own subscriptions are kept."""
    return f"agent:{agent}"


async def add(unit: Unit, wanted: Wanted, *, by: str, now: datetime, trace_id: str) -> int:
    """Make it, or change what the receiver has for this topic; gives its id. `by` is the agent in
    whose audit it stands. Raises `TooMany`.
    """
    await one_at_a_time(unit, f"subscriptions of {wanted.receiver}")
    others = [s for s in await of(unit, wanted.receiver) if s.topic != wanted.topic]
    if len(others) >= MOST:
        raise TooMany(f"{MOST} subscriptions are the most; end one first")
    values = {
        "address": wanted.address,
        "made_by": wanted.made_by,
        "quiet_from": wanted.quiet_from,
        "quiet_until": wanted.quiet_until,
        "zone": wanted.zone,
        "batch_s": wanted.batch_s,
        "created_at": now,
        "ended_at": None,
        "not_before": None,
        "trouble": "",
    }
    new = insert(unit, SUBSCRIPTION).values(receiver=wanted.receiver, topic=wanted.topic, **values)
    # Who only changes the hours goes on where he was.
    kept = sa.case((_HOLDS, SUBSCRIPTION.c.created_at), else_=now)
    made = new.on_conflict_do_update(
        index_elements=["receiver", "topic"], set_={**values, "created_at": kept}
    )
    number = (await run(unit, made.returning(SUBSCRIPTION.c.id))).scalar_one()
    if wanted.address:
        # An address may have changed: a nick under the same account.
        same = sa.update(SUBSCRIPTION).where(SUBSCRIPTION.c.receiver == wanted.receiver, _HOLDS)
        await run(unit, same.values(address=wanted.address))
    details = {"made_by": wanted.made_by, "address": wanted.address}
    await _audited(unit, "subscribe", wanted.receiver, wanted.topic, by, now, trace_id, details)
    return int(number)


async def end(
    unit: Unit, subscription: Subscription, *, by: str, made_by: str, now: datetime, trace_id: str
) -> bool:
    """It holds no longer; what was on its way is kept until the receiver asks. False when it had
    ended before.
    """
    c = SUBSCRIPTION.c
    change = sa.update(SUBSCRIPTION).where(c.id == subscription.id, _HOLDS).values(ended_at=now)
    if not (await run(unit, change)).rowcount:
        return False
    d = EVENT_DELIVERY.c
    left = sa.update(EVENT_DELIVERY).where(
        d.subscription_id == subscription.id, d.state == str(EventState.WAITING)
    )
    await run(unit, left.values(state=str(EventState.UNREAD), changed_at=now))
    details = {"made_by": made_by}
    receiver, topic = subscription.receiver, subscription.topic
    await _audited(unit, "unsubscribe", receiver, topic, by, now, trace_id, details)
    return True


async def of(unit: Unit, receiver: str | None = None) -> list[Subscription]:
    """What holds now, of one receiver or of all, oldest first."""
    query = sa.select(*_COLUMNS).where(_HOLDS).order_by(SUBSCRIPTION.c.id)
    if receiver is not None:
        query = query.where(SUBSCRIPTION.c.receiver == receiver)
    return [Subscription(**row) for row in (await run(unit, query)).mappings()]


async def by_id(unit: Unit, number: int) -> Subscription | None:
    query = sa.select(*_COLUMNS).where(SUBSCRIPTION.c.id == number, _HOLDS)
    row = (await run(unit, query)).mappings().one_or_none()
    return None if row is None else Subscription(**row)


async def _audited(  # noqa: PLR0917 - one entry's columns
    unit: Unit,
    verb: str,
    receiver: str,
    topic: str,
    by: str,
    now: datetime,
    trace_id: str,
    details: dict[str, str],
) -> None:
    await audit.append(
        unit,
        agent=by,
        at=now,
        verb=verb,
        target=receiver,
        outcome="done",
        reason=topic,
        details=details,
        trace_id=trace_id,
    )
