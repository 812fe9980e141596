"""Talks: private threads of two agents. Their turns are delegations; here they begin and end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from storage import audit
from storage.core import DELEGATION, TALK, insert, run
from storage.delegation_tables import Delegation
from storage.delegations import many
from storage.talk_tables import Talk
from storage.unit import Unit

#: who ended what nobody ended
LIMIT: Final = "limit"
#: with whom, and in which turn: there is one talk of each
_ONE: Final = ["opener", "peer", "session", "trace_id"]
_C: Final = TALK.c
_COLUMNS: Final = [_C[name] for name in Talk.model_fields]


@dataclass(frozen=True, kw_only=True)
class NewTalk:
    """As `Talk`, before it has an id."""

    code: str
    opener: str
    peer: str
    session: str
    opened_at: datetime
    trace_id: str


async def open_one(unit: Unit, new: NewTalk) -> Talk:
    """The talk of this turn with this peer, begun now if there is none; it may have ended."""
    values = {name: getattr(new, name) for name in new.__dataclass_fields__}
    add = insert(unit, TALK).values(**values, ended_by="", why="")
    kept = add.on_conflict_do_nothing(index_elements=_ONE)
    await run(unit, kept)
    [talk] = await _found(unit, sa.and_(*(_C[name] == values[name] for name in _ONE)))
    return talk


async def by_code(unit: Unit, code: str) -> Talk | None:
    """What people call so, in any case; an index finds it as codes are made."""
    found = await _found(unit, _C.code == code[:2].upper() + code[2:].lower())
    return found[0] if found else None


async def turns(unit: Unit, code: str) -> list[Delegation]:
    """What was said in it, oldest first: each instruction with its result."""
    # The first condition is the index's own.
    return await many(unit, sa.and_(DELEGATION.c.talk != "", DELEGATION.c.talk == code))


async def end(unit: Unit, talk: Talk, by: str, why: str, now: datetime) -> bool:
    """Open → ended; False when it had ended. `by` is an agent of the two, or `LIMIT`."""
    change = sa.update(TALK).where(_C.code == talk.code, _C.ended_at.is_(None))
    done = await run(unit, change.values(ended_at=now, ended_by=by, why=why))
    if done.rowcount != 1:
        return False
    await audit.append(
        unit,
        agent=talk.peer if by == talk.peer else talk.opener,
        at=now,
        verb="transition",
        target=f"talk:{talk.code}",
        outcome="done",
        reason=why or "open → ended",
        details={"from": "open", "to": "ended", "by": by},
        trace_id=talk.trace_id,
    )
    return True


async def prune(unit: Unit, before: datetime) -> int:
    """Forget talks that were opened before then and of which no turn is left; returns how many."""
    turn = sa.select(DELEGATION.c.id).where(DELEGATION.c.talk != "", DELEGATION.c.talk == _C.code)
    gone = await run(unit, sa.delete(TALK).where(_C.opened_at < before, ~turn.exists()))
    return gone.rowcount


async def _found(unit: Unit, where: sa.ColumnElement[bool]) -> list[Talk]:
    rows = await run(unit, sa.select(*_COLUMNS).where(where))
    return [Talk(**row) for row in rows.mappings()]
