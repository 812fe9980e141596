"""The project log: lines are added, never changed; the newest of kind ``status`` is how the project
stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from storage.core import DELEGATION, PROJECT_ENTRY, run
from storage.delegation_tables import Delegation, DelegationState
from storage.project_tables import EntryKind, ProjectEntry, ProjectStatus
from storage.text import storable
from storage.unit import Unit

#: characters of what was asked for, and of what came of it, that the log keeps
LONGEST_TITLE: Final = 200
LONGEST_TEXT: Final = 600
#: a line is read when it is so old: on PostgreSQL a later id may be seen before an earlier one
SETTLED: Final = timedelta(seconds=2)
#: channel of what was asked where not everybody reads, and nobody may know where
PRIVATE: Final = "nick:"
_MOST: Final = 200
_C: Final = PROJECT_ENTRY.c
_COLUMNS: Final = [_C[name] for name in ProjectEntry.model_fields]
# Every delegation that ends passes here.
_ADD: Final = sa.insert(PROJECT_ENTRY)
_NEWEST: Final = sa.select(sa.func.max(_C.id)).where(_C.at <= sa.bindparam("until"))


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How the project stands."""

    status: ProjectStatus
    sentence: str
    #: it has had this status without a break
    since: datetime
    #: who said so last, and when
    by: str
    at: datetime


async def add(unit: Unit, entry: ProjectEntry) -> None:
    """It is so, if the transaction of `unit` commits; its texts are made shorter where they must
    be.
    """
    await _write(unit, entry.model_dump(exclude={"id"}))


async def delegation_ended(unit: Unit, ended: Delegation, now: datetime) -> None:
    """Its outcome is recorded in this very transaction. What was passed on is told by who did it,
    and what is no work is not told.
    """
    if ended.kind != "task" or (ended.passed_to and await _was_passed_on(unit, ended)):
        return
    values = {
        "at": now,
        "agent": ended.agent,
        "by": ended.asked_by,
        "kind": str(EntryKind.RESULT),
        "state": ended.state,
        "title": ended.instruction,
        "text": ended.result if ended.state == DelegationState.DONE else ended.error,
        "ref": f"delegation:{ended.code}",
        "network": ended.network,
        "channel": PRIVATE if ended.is_private else ended.channel,
        "trace_id": ended.trace_id,
    }
    await _write(unit, values)


async def newest(unit: Unit, now: datetime) -> int:
    """Id of the newest line that nothing older can come after; 0 without any."""
    return int((await run(unit, _NEWEST, {"until": now - SETTLED})).scalar() or 0)


async def between(unit: Unit, after: int, until: int) -> list[ProjectEntry]:
    """Lines with ids above `after` up to `until`, oldest first; the newest 200."""
    return await _found(unit, sa.and_(_C.id > after, _C.id <= until))


async def since(unit: Unit, begin: datetime, end: datetime) -> list[ProjectEntry]:
    """Lines from `begin` on and before `end`, oldest first; the newest 200."""
    return await _found(unit, sa.and_(_C.at >= begin, _C.at < end))


async def results(unit: Unit, begin: datetime, end: datetime) -> dict[str, dict[str, int]]:
    """Agent → state → how many results from `begin` on and before `end`, however many they are."""
    query = (
        sa.select(_C.agent, _C.state, sa.func.count())
        .where(_C.kind == str(EntryKind.RESULT), _C.at >= begin, _C.at < end)
        .group_by(_C.agent, _C.state)
    )
    counts: dict[str, dict[str, int]] = {}
    for agent, state, number in await run(unit, query):
        counts.setdefault(agent, {})[state] = number
    return counts


async def standing(unit: Unit) -> Standing | None:
    """How the project stands; None before anybody said."""
    of_status = _C.kind == str(EntryKind.STATUS)
    query = sa.select(_C.state, _C.text, _C.by, _C.at).where(of_status)
    row = (await run(unit, query.order_by(_C.id.desc()).limit(1))).first()
    if row is None:
        return None
    before = sa.select(sa.func.max(_C.id)).where(of_status, _C.state != row.state)
    first = sa.select(sa.func.min(_C.at)).where(
        of_status, _C.id > sa.func.coalesce(before.scalar_subquery(), 0)
    )
    begun = (await run(unit, first)).scalar()
    return Standing(
        status=ProjectStatus(row.state),
        sentence=row.text,
        since=begun or row.at,
        by=row.by,
        at=row.at,
    )


async def prune(unit: Unit, before: datetime) -> int:
    """Forget lines from before then; how the project stands is never forgotten. Returns how
    many.
    """
    stands = sa.select(sa.func.max(_C.id)).where(_C.kind == str(EntryKind.STATUS))
    old = sa.delete(PROJECT_ENTRY).where(
        _C.at < before, _C.id != sa.func.coalesce(stands.scalar_subquery(), 0)
    )
    return (await run(unit, old)).rowcount


async def _write(unit: Unit, values: dict[str, Any]) -> None:
    values["title"] = _short(values["title"], LONGEST_TITLE)
    values["text"] = _short(values["text"], LONGEST_TEXT)
    await run(unit, _ADD, values)


async def _was_passed_on(unit: Unit, ended: Delegation) -> bool:
    child = sa.select(DELEGATION.c.id).where(DELEGATION.c.parent_id == ended.id).limit(1)
    return (await run(unit, child)).first() is not None


async def _found(unit: Unit, where: sa.ColumnElement[bool]) -> list[ProjectEntry]:
    query = sa.select(*_COLUMNS).where(where).order_by(_C.id.desc()).limit(_MOST)
    rows = (await run(unit, query)).mappings().all()
    return [ProjectEntry(**row) for row in reversed(rows)]


def _short(text: str, most: int) -> str:
    # What is cut off is not looked at: a result may be long.
    said = " ".join(storable(text[: 4 * most]).split())
    return said if len(said) <= most else f"{said[: most - 1]}…"
