"""Sessions (one conversation of one agent) and their turns (one question and what came of it)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from storage.core import SESSION, TURN, insert, run
from storage.tables import Turn
from storage.unit import Unit

_COLUMNS: Final = [TURN.c[name] for name in Turn.model_fields]


async def open_session(unit: Unit, agent: str, key: str, now: datetime) -> int:
    """The id of this agent's session `key`, begun at `now` when there was none."""
    add = insert(unit, SESSION).values(agent=agent, key=key, started_at=now, last_at=now)
    touch = add.on_conflict_do_update(
        index_elements=["agent", "key"], set_={"last_at": now}
    ).returning(SESSION.c.id)
    return int((await run(unit, touch)).scalar_one())


async def add_turn(
    unit: Unit,
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


@dataclass(frozen=True)
class History:
    """What an agent knows of a conversation when the next question comes."""

    #: stands for earlier turns, empty when nothing was made shorter
    digest: str
    #: the newest of the turns behind it, oldest first
    turns: tuple[Turn, ...]


async def history(unit: Unit, agent: str, key: str, n: int) -> History:
    """The history of an agent's session: at most `n` turns."""
    row = await _row(unit, agent, key)
    if row is None:
        return History("", ())
    behind = max(row.begun_after, row.digest_until)
    where = sa.and_(TURN.c.session_id == row.id, TURN.c.id > behind)
    return History(row.digest, tuple(await _newest(unit, where, n)))


async def since_begun(unit: Unit, agent: str, key: str, n: int) -> list[Turn]:
    """The newest `n` turns since the conversation began anew, also those that a digest stands for;
    none when no turn came since the digest.
    """
    row = await _row(unit, agent, key)
    if row is None:
        return []
    where = sa.and_(TURN.c.session_id == row.id, TURN.c.id > row.begun_after)
    turns = await _newest(unit, where, n)
    return turns if turns and (turns[-1].id or 0) > row.digest_until else []


async def begin_anew(unit: Unit, agent: str, key: str) -> bool:
    """What was said so far is history no more; False when there was none."""
    row = await _row(unit, agent, key)
    newest = sa.select(sa.func.max(TURN.c.id))
    last = row and (await run(unit, newest.where(TURN.c.session_id == row.id))).scalar()
    if row is None or last is None or last <= row.begun_after:
        return False
    values = {"begun_after": last, "digest_until": 0, "digest": "", "digest_at": None}
    await run(unit, sa.update(SESSION).where(SESSION.c.id == row.id).values(**values))
    return True


async def compact(
    unit: Unit, agent: str, key: str, *, until: int, digest: str, now: datetime
) -> None:
    """From now on `digest` stands for the turns up to the id `until`."""
    change = sa.update(SESSION).where(SESSION.c.agent == agent, SESSION.c.key == key)
    await run(unit, change.values(digest_until=until, digest=digest, digest_at=now))


async def _row(unit: Unit, agent: str, key: str) -> sa.Row[*tuple[Any, ...]] | None:
    c = SESSION.c
    query = sa.select(c.id, c.begun_after, c.digest_until, c.digest)
    return (await run(unit, query.where(c.agent == agent, c.key == key))).first()


async def _newest(unit: Unit, where: sa.ColumnElement[bool], n: int) -> list[Turn]:
    query = sa.select(*_COLUMNS).where(where).order_by(TURN.c.id.desc()).limit(n)
    return [Turn(**row) for row in reversed((await run(unit, query)).mappings().all())]


async def prune(unit: Unit, before: datetime) -> int:
    """Delete turns that ended before `before`, digests made before it, and sessions that nobody
    spoke in since; returns how many turns.
    """
    gone = await run(unit, sa.delete(TURN).where(TURN.c.finished_at < before))
    old = sa.update(SESSION).where(SESSION.c.digest_at < before)
    await run(unit, old.values(digest="", digest_at=None))
    empty = ~sa.exists().where(TURN.c.session_id == SESSION.c.id)
    await run(unit, sa.delete(SESSION).where(SESSION.c.last_at < before, empty))
    return gone.rowcount
