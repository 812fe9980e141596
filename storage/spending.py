"""What calls of models cost: reserved before the call, settled on the bill, never above a ceiling.

A call counts from the moment of its reservation: with all that it may cost while it is reserved,
with what it did cost once it is settled, with nothing when it was refunded. Money is in billionths
of a US dollar (nusd).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from storage.core import SPENDING, one_at_a_time, run
from storage.model_tables import SpendingState
from storage.unit import Unit

_C: Final = SPENDING.c
_OPEN: Final = _C.state == SpendingState.RESERVED.value
#: who holds this in a transaction reserves or settles alone (`one_at_a_time`)
WALLET: Final = "wallet"
#: what `requests_per_minute` of a key is counted over
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Which calls are counted together; None: whichever."""

    agent: str | None = None
    task: str | None = None
    #: calls that were reserved then or later
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """What the calls of a slice may come to in all."""

    slice: Slice
    nusd: int


@dataclass(frozen=True, kw_only=True)
class Spent:
    settled_nusd: int = 0
    #: of calls that may be under way
    reserved_nusd: int = 0

    @property
    def nusd(self) -> int:
        return self.settled_nusd + self.reserved_nusd


@dataclass(frozen=True, kw_only=True)
class KeyLimit:
    """A key that a call may be made with; `name` is its reference, empty where none is needed."""

    name: str
    #: None: any number of requests
    per_minute: int | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call of a model that is about to be made."""

    agent: str
    model: str
    provider_model: str
    session: str
    task: str
    #: the most that it may cost
    reserved_nusd: int
    at: datetime
    #: of the agent's process
    epoch: int
    trace_id: str


@dataclass(frozen=True, kw_only=True)
class Reserved:
    id: int
    #: the key that is to be used
    key: str


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """The call is not to be made: it could cross this ceiling."""

    ceiling: Ceiling
    spent: Spent


@dataclass(frozen=True, kw_only=True)
class KeysBusy:
    """The call is not to be made yet: every key has had its requests of this minute."""

    free_at: datetime


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What a call came to. The four counts of tokens do not overlap."""

    nusd: int
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(frozen=True, kw_only=True)
class Bills:
    """What one agent's calls of one model came to."""

    agent: str
    model: str
    #: of calls since the time asked for
    today: Bill
    in_all: Bill


async def reserve(
    unit: Unit, call: Call, ceilings: Sequence[Ceiling], keys: Sequence[KeyLimit]
) -> Reserved | Crossing | KeysBusy:
    """Reserve what `call` may cost, for the first of `keys` that is free, or say why not.

    Looking and reserving are one: of any number of processes that ask at the same time, none takes
    what another one has taken. What costs nothing crosses no ceiling.
    """
    await one_at_a_time(unit, WALLET)
    if call.reserved_nusd > 0:
        sums = await spent(unit, [ceiling.slice for ceiling in ceilings])
        for ceiling, so_far in zip(ceilings, sums, strict=True):
            if so_far.nusd + call.reserved_nusd > ceiling.nusd:
                return Crossing(ceiling=ceiling, spent=so_far)
    busy_until: list[datetime] = []
    for key in keys:
        free_at = await _free_at(unit, key, call)
        if free_at is None:
            return await _reserved(unit, call, key.name)
        busy_until.append(free_at)
    return KeysBusy(free_at=min(busy_until))


async def settle(unit: Unit, spending_id: int, bill: Bill, *, now: datetime) -> bool:
    """Book what a call came to; False when it is settled or refunded already."""
    close = (
        sa.update(SPENDING)
        .where(_C.id == spending_id, _OPEN)
        .values(
            state=SpendingState.SETTLED.value,
            cost_nusd=bill.nusd,
            input_tokens=bill.input_tokens,
            output_tokens=bill.output_tokens,
            cache_read_tokens=bill.cache_read_tokens,
            cache_write_tokens=bill.cache_write_tokens,
            settled_at=now,
        )
    )
    return (await run(unit, close)).rowcount == 1


async def refund(unit: Unit, spending_id: int, *, now: datetime) -> bool:
    """Give the reserved sum back, for nothing was billed; False as `settle`."""
    back = sa.update(SPENDING).where(_C.id == spending_id, _OPEN)
    values = {"state": SpendingState.REFUNDED.value, "settled_at": now}
    return (await run(unit, back.values(**values))).rowcount == 1


async def abandoned(unit: Unit, agent: str, epoch: int, *, now: datetime) -> int:
    """Book in full what the agent's processes before `epoch` had reserved when they died: what they
    sent may have been billed. Returns how many calls that were.
    """
    close = sa.update(SPENDING).where(_C.agent == agent, _C.epoch < epoch, _OPEN)
    values = {
        "state": SpendingState.SETTLED.value,
        "cost_nusd": _C.reserved_nusd,
        "settled_at": now,
    }
    return (await run(unit, close.values(**values))).rowcount


async def spent(unit: Unit, slices: Sequence[Slice]) -> list[Spent]:
    """What the calls of each slice come to, in order."""
    if not slices:
        return []
    queries = [_sum(number, one) for number, one in enumerate(slices)]
    rows = (await run(unit, sa.union_all(*queries))).all()
    found = {row[0]: Spent(settled_nusd=int(row[1]), reserved_nusd=int(row[2])) for row in rows}
    return [found[number] for number in range(len(slices))]


async def bills(unit: Unit, since: datetime) -> list[Bills]:
    """What every agent's settled calls of every model came to, since `since` and in all that is
    kept, by name.
    """
    recent = _C.reserved_at >= since
    counted = (
        _C.cost_nusd,
        _C.input_tokens,
        _C.output_tokens,
        _C.cache_read_tokens,
        _C.cache_write_tokens,
    )
    sums = [sa.func.sum(sa.case((recent, column), else_=0)) for column in counted]
    query = (
        sa.select(_C.agent, _C.model, *sums, *map(sa.func.sum, counted))
        .where(_C.state == SpendingState.SETTLED.value)
        .group_by(_C.agent, _C.model)
        .order_by(_C.agent, _C.model)
    )
    return [
        Bills(agent=row[0], model=row[1], today=_bill(row[2:7]), in_all=_bill(row[7:12]))
        for row in (await run(unit, query)).all()
    ]


async def prune(unit: Unit, before: datetime) -> int:
    """Forget calls that were reserved before `before`; returns how many."""
    return (await run(unit, sa.delete(SPENDING).where(_C.reserved_at < before))).rowcount


def _sum(number: int, one: Slice) -> sa.Select[tuple[int, int, int]]:
    settled = sa.func.sum(sa.case((_OPEN, 0), else_=_C.cost_nusd))
    reserved = sa.func.sum(sa.case((_OPEN, _C.reserved_nusd), else_=0))
    query = sa.select(
        sa.literal(number), sa.func.coalesce(settled, 0), sa.func.coalesce(reserved, 0)
    )
    if one.agent is not None:
        query = query.where(_C.agent == one.agent)
    if one.task is not None:
        query = query.where(_C.task == one.task)
    if one.since is not None:
        query = query.where(_C.reserved_at >= one.since)
    return query


def _bill(sums: Sequence[Any]) -> Bill:
    nusd, given, made, read, written = map(int, sums)
    return Bill(
        nusd=nusd,
        input_tokens=given,
        output_tokens=made,
        cache_read_tokens=read,
        cache_write_tokens=written,
    )


async def _free_at(unit: Unit, key: KeyLimit, call: Call) -> datetime | None:
    """When the key may be used again; None: now."""
    if key.per_minute is None:
        return None
    since = call.at - _MINUTE
    query = sa.select(_C.reserved_at).where(_C.key == key.name, _C.reserved_at > since)
    if not key.name:
        # Models without a key share nothing.
        query = query.where(_C.model == call.model)
    oldest = query.order_by(_C.reserved_at.desc()).offset(key.per_minute - 1).limit(1)
    full_since = (await run(unit, oldest)).scalar_one_or_none()
    return None if full_since is None else full_since + _MINUTE


async def _reserved(unit: Unit, call: Call, key: str) -> Reserved:
    add = (
        sa.insert(SPENDING)
        .values(
            agent=call.agent,
            model=call.model,
            provider_model=call.provider_model,
            key=key,
            session=call.session,
            task=call.task,
            state=SpendingState.RESERVED.value,
            reserved_nusd=call.reserved_nusd,
            reserved_at=call.at,
            epoch=call.epoch,
            trace_id=call.trace_id,
            cost_nusd=0,
            input_tokens=0,
            output_tokens=0,
            cache_read_tokens=0,
            cache_write_tokens=0,
        )
        .returning(_C.id)
    )
    return Reserved(id=int((await run(unit, add)).scalar_one()), key=key)
