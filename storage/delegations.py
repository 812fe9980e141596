"""Delegations: work for one agent with one recorded outcome. Here they are added and found; how
they go from state to state is `storage.delegating`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import ClassManager, class_mapper

from storage.core import AGENT, DELEGATION, REPLY, run
from storage.delegation_tables import Delegation, DelegationState, Deliver
from storage.unit import Rows, Unit

_C: Final = DELEGATION.c
_NEVER_SET: Final = dict.fromkeys(Delegation.model_fields)
#: states from which something may still come
OPEN: Final = (DelegationState.QUEUED, DelegationState.CLAIMED, DelegationState.WORKING)
HELD: Final = (DelegationState.CLAIMED, DelegationState.WORKING)
#: a result that could not be said for so long is not expected any more
_NEWS: Final = timedelta(minutes=10)
_COLUMNS: Final = [_C[name] for name in Delegation.model_fields]
# Every hook and every order passes here: a statement that is put together once takes a tenth of the
# time of one that is put together each time.
_ADD: Final = {
    name: dialect.insert(DELEGATION)
    .on_conflict_do_nothing(index_elements=["asked_by", "idempotency_key"])
    .returning(_C.id)
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
_ROOT: Final = (
    sa.update(DELEGATION).where(_C.id == sa.bindparam("root")).values(root_id=sa.bindparam("root"))
)
_BY_CODE: Final = sa.select(*_COLUMNS).where(_C.code == sa.bindparam("named"))
_BY_ID: Final = sa.select(*_COLUMNS).where(_C.id == sa.bindparam("wanted"))
_BY_KEY: Final = sa.select(*_COLUMNS).where(
    _C.asked_by == sa.bindparam("asker"), _C.idempotency_key == sa.bindparam("key")
)


@dataclass(frozen=True, kw_only=True)
class NewDelegation:
    """As `Delegation`, before it has an id."""

    code: str
    kind: str = "task"
    talk: str = ""
    sender: str
    agent: str
    passed_to: str = ""
    among: str = ""
    instruction: str
    #: agents from a person's word down to `sender`
    chain: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime
    key_id: str = ""
    signature: str = ""
    asked_by: str
    idempotency_key: str | None = None
    network: str = ""
    channel: str = ""
    is_private: bool = False
    chosen: str = ""
    parent_id: int | None = None
    root_id: int | None = None
    priority: int
    tries: int
    deliver_to: str = ""
    trace_id: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """What became of one agent's delegations, for whoever chooses an agent."""

    agent: str
    waiting: int = 0
    done: int = 0
    failed: int = 0
    #: of those that were done
    cost_nusd: int = 0


async def add(unit: Unit, new: NewDelegation) -> tuple[Delegation, bool]:
    """Queue it; with False the one that the same asker gave before under the same key."""
    values = {name: getattr(new, name) for name in new.__dataclass_fields__}
    values |= {
        "chain": json.dumps(new.chain),
        "hops": len(new.chain),
        "state": str(DelegationState.QUEUED),
        "claim": 0,
        "not_before": new.issued_at,
        "acted": False,
        "progress": "",
        "result": "",
        "error": "",
        "model": "",
        "cost_nusd": 0,
        "deliver": str(Deliver.WANTED if new.deliver_to else Deliver.NOWHERE),
        "deliver_by": "",
        "delivered_id": "",
        "delivered_proof": "",
    }
    row = (await run(unit, _ADD[unit.dialect], values)).first()
    if row is None:
        [before] = found(await run(unit, _BY_KEY, _named(new.asked_by, new.idempotency_key)))
        return before, False
    root_id = new.root_id
    if root_id is None:
        root_id = row.id
        await run(unit, _ROOT, {"root": root_id})
    return _loaded(_NEVER_SET | values | {"id": row.id, "root_id": root_id}), True


async def by_code(unit: Unit, code: str, *, to_change: bool = False) -> Delegation | None:
    """What people call so, in any case; an index finds it as codes are made."""
    named = code[:2].upper() + code[2:].lower()
    if to_change:
        return await _to_change(unit, _C.code == named)
    rows = found(await run(unit, _BY_CODE, {"named": named}))
    return rows[0] if rows else None


async def by_key(unit: Unit, asked_by: str, key: str) -> Delegation | None:
    """What the same asker gave before under the same idempotency key."""
    rows = found(await run(unit, _BY_KEY, _named(asked_by, key)))
    return rows[0] if rows else None


def _named(asked_by: str, key: str | None) -> dict[str, str | None]:
    return {"asker": asked_by, "key": key}


async def read(unit: Unit, delegation_id: int, *, to_change: bool = False) -> Delegation | None:
    if to_change:
        return await _to_change(unit, _C.id == delegation_id)
    rows = found(await run(unit, _BY_ID, {"wanted": delegation_id}))
    return rows[0] if rows else None


async def tree(unit: Unit, root_id: int, *, to_change: bool = False) -> list[Delegation]:
    """A delegation and all that were made for it, oldest first."""
    return await many(unit, _C.root_id == root_id, to_change=to_change)


async def recent(unit: Unit, limit: int, *, only_open: bool = False) -> list[Delegation]:
    """The newest, newest first."""
    where = _C.state.in_(OPEN) if only_open else sa.true()
    query = sa.select(*_COLUMNS).where(where).order_by(_C.id.desc()).limit(limit)
    return found(await run(unit, query))


async def any_overdue(unit: Unit, now: datetime, silence: timedelta) -> bool:
    """Whether something is open beyond its deadline, or was not beaten for so long."""
    silent = sa.and_(_C.state.in_(HELD), _C.beat_at < now - silence)
    over = sa.and_(_C.state.in_(OPEN), _C.expires_at <= now)
    # Three questions, for each has an index of its own.
    each = [sa.exists().where(where) for where in (silent, over, _is_unsayable(now))]
    return bool((await run(unit, sa.select(sa.or_(*each)))).scalar())


async def give_up_saying(unit: Unit, now: datetime) -> list[Delegation]:
    """Owed → failed, for results that nobody has begun to say in all the time that they were news;
    gives those.
    """
    why = f"nobody could say it there within {_NEWS.seconds // 60} minutes"
    values = {"deliver": str(Deliver.FAILED), "delivered_proof": why}
    return found(await run(unit, changed(values, _is_unsayable(now))))


def _is_unsayable(now: datetime) -> sa.ColumnElement[bool]:
    begun = sa.exists().where(REPLY.c.delegation_id == _C.id)
    # Whoever has to say something is an agent: so the index by speaker serves.
    owed = sa.and_(_C.deliver_by.in_(sa.select(AGENT.c.name)), _C.deliver == str(Deliver.OWED))
    return sa.and_(owed, _C.finished_at < now - _NEWS, ~begun)


async def delivered(
    unit: Unit, delegation_id: int, how: Deliver, message_id: str, proof: str
) -> bool:
    """Owed → `how`; False when somebody else settled it."""
    change = sa.update(DELEGATION).where(_C.id == delegation_id, _C.deliver == str(Deliver.OWED))
    values = {"deliver": str(how), "delivered_id": message_id, "delivered_proof": proof}
    return (await run(unit, change.values(**values))).rowcount == 1


async def records(unit: Unit, since: datetime) -> dict[str, Record]:
    """What became of each agent's delegations that were asked for since then, and what waits."""
    query = (
        sa.select(_C.agent, _C.state, sa.func.count(), sa.func.sum(_C.cost_nusd))
        .where(*_lately(list(DelegationState), since))
        .where(sa.or_(_C.issued_at >= since, _C.state.in_(OPEN)), _C.passed_to == "")
        .group_by(_C.agent, _C.state)
    )
    counted: dict[str, dict[str, int]] = {}
    for agent, state, number, cost in (await run(unit, query)).all():
        own = counted.setdefault(agent, {"waiting": 0, "done": 0, "failed": 0, "cost_nusd": 0})
        if state in OPEN:
            own["waiting"] += number
        elif state == DelegationState.DONE:
            own["done"] += number
            own["cost_nusd"] += int(cost or 0)
        elif state != DelegationState.CANCELLED:
            own["failed"] += number
    return {agent: Record(agent=agent, **own) for agent, own in counted.items()}


async def done_words(unit: Unit, since: datetime, limit: int) -> list[tuple[str, str]]:
    """Agent and instruction of what was done since then, newest first: what each has learned."""
    query = (
        sa.select(_C.agent, _C.instruction)
        .where(*_lately([DelegationState.DONE], since), _C.finished_at >= since)
        .order_by(_C.id.desc())
        .limit(limit)
    )
    return [(agent, words) for agent, words in (await run(unit, query)).all()]


def _lately(
    states: Sequence[DelegationState], since: datetime
) -> tuple[sa.ColumnElement[bool], ...]:
    """What index finds those with: nothing is asked for, or ends, after its deadline."""
    return (_C.state.in_(states), _C.expires_at >= since)


async def prune(unit: Unit, before: datetime) -> int:
    """Forget whole trees that ended before then; returns how many delegations."""
    child = DELEGATION.alias("member")
    alive = sa.exists().where(
        child.c.root_id == _C.root_id,
        sa.or_(child.c.state.in_(OPEN), child.c.finished_at >= before),
    )
    old = sa.select(_C.id).where(_C.finished_at < before, ~alive)
    ids = list((await run(unit, old)).scalars())
    if ids:
        # Children first: a parent is referred to.
        await run(unit, sa.delete(DELEGATION).where(_C.id.in_(ids), _C.parent_id.is_not(None)))
        await run(unit, sa.delete(DELEGATION).where(_C.id.in_(ids)))
    return len(ids)


async def many(
    unit: Unit, where: sa.ColumnElement[bool], *, to_change: bool = False
) -> list[Delegation]:
    """Those of which `where` is true, oldest first; who means `to_change` them has them to himself
    until his transaction ends.
    """
    query = sa.select(*_COLUMNS).where(where).order_by(_C.id)
    if to_change:
        # On PostgreSQL another transaction could change them between this and what follows of it.
        query = query.with_for_update(key_share=True)
    return found(await run(unit, query))


async def _to_change(unit: Unit, where: sa.ColumnElement[bool]) -> Delegation | None:
    rows = await many(unit, where, to_change=True)
    return rows[0] if rows else None


def found(rows: Rows) -> list[Delegation]:
    return [_loaded(row) for row in rows.mappings()]


def _loaded(row: Mapping[str, Any] | sa.RowMapping) -> Delegation:
    """As SQLAlchemy loads: to set forty attributes one by one takes thirty times as long."""
    made = _manager().new_instance()
    vars(made).update(row)
    return made


@cache
def _manager() -> ClassManager[Delegation]:
    return class_mapper(Delegation).class_manager


def chain_of(delegation: Delegation) -> tuple[str, ...]:
    """The agents through whose hands it came, first first; raises `ValueError` for what is no list
    of names.
    """
    names = json.loads(delegation.chain)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("the chain is no list of names")
    return tuple(names)


def changed(values: Mapping[str, Any], *where: sa.ColumnElement[bool]) -> Any:
    """An UPDATE that gives back what it changed."""
    return sa.update(DELEGATION).where(*where).values(**values).returning(*_COLUMNS)
