"""Sessions (one conversation of one agent) and their turns (one question and what came of it)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.core import SESSION, TURN, insert, run
from storage.tables import Turn

_COLUMNS: Final = [TURN.c[name] for name in Turn.model_fields]


async def open_session(unit: AsyncSession, agent: str, key: str, now: datetime) -> int:
    """The id of this agent's session `key`, begun at `now` when there was none."""
    add = insert(unit, SESSION).values(agent=agent, key=key, started_at=now, last_at=now)
    touch = add.on_conflict_do_update(
        index_elements=["agent", "key"], set_={"last_at": now}
    ).returning(SESSION.c.id)
    return int((await run(unit, touch)).scalar_one())


async def add_turn(
    unit: AsyncSession,
    session_id: int,
    *,
    asker: str,
    asked: str,
    answer: str,
    model: str,
    started_at: datetime,
    finished_at: datetime,
    trace_id: str,
    inbox_id: int | None = None,
    steps: int = 0,
) -> int:
    """Append a turn and return its id."""
    add = (
        sa.insert(TURN)
        .values(
            session_id=session_id,
            inbox_id=inbox_id,
            asker=asker,
            asked=asked,
            answer=answer,
            model=model,
            steps=steps,
            started_at=started_at,
            finished_at=finished_at,
            trace_id=trace_id,
        )
        .returning(TURN.c.id)
    )
    turn_id = int((await run(unit, add)).scalar_one())
    touch = sa.update(SESSION).where(SESSION.c.id == session_id).values(last_at=finished_at)
    await run(unit, touch)
    return turn_id


async def recent(unit: AsyncSession, session_id: int, n: int) -> list[Turn]:
    """The newest `n` turns of a session, oldest first."""
    return await _newest(unit, TURN.c.session_id == session_id, n)


async def recent_of(unit: AsyncSession, agent: str, key: str, n: int) -> list[Turn]:
    """As `recent`, for an agent's session by its key; none for a session that never began."""
    session = sa.select(SESSION.c.id).where(SESSION.c.agent == agent, SESSION.c.key == key)
    return await _newest(unit, TURN.c.session_id == session.scalar_subquery(), n)


async def _newest(unit: AsyncSession, where: sa.ColumnElement[bool], n: int) -> list[Turn]:
    query = sa.select(*_COLUMNS).where(where).order_by(TURN.c.id.desc()).limit(n)
    return [Turn(**row) for row in reversed((await run(unit, query)).mappings().all())]


async def prune(unit: AsyncSession, before: datetime) -> int:
    """Delete turns that ended before `before`, and sessions that nobody spoke in since; returns
    how many turns.
    """
    gone = await run(unit, sa.delete(TURN).where(TURN.c.finished_at < before))
    empty = ~sa.exists().where(TURN.c.session_id == SESSION.c.id)
    await run(unit, sa.delete(SESSION).where(SESSION.c.last_at < before, empty))
    return gone.rowcount
