"""What agents know together: published with source and confidence, found by the database's own
full-text index, superseded rather than changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from storage import events
from storage.core import KNOWLEDGE, one_at_a_time, run
from storage.event_tables import Knowledge
from storage.search import split
from storage.text import storable
from storage.unit import Unit

#: that one agent may have standing
MOST: Final = 2_000
_C: Final = KNOWLEDGE.c
_COLUMNS: Final = [_C[name] for name in Knowledge.model_fields]
_FTS: Final = sa.table("knowledge_fts", sa.column("rowid", sa.Integer))
_FTS_NAME: Final[sa.ColumnElement[Any]] = sa.literal_column("knowledge_fts")
#: a word in the title counts most
_BM25: Final = sa.literal_column("-bm25(knowledge_fts, 4.0, 1.0, 2.0)", sa.Float)
_TSVECTOR: Final[sa.ColumnElement[Any]] = sa.literal_column("knowledge.search")
_CONFIGURATION: Final[sa.ColumnElement[Any]] = sa.literal_column("'parley'::regconfig")
#: not superseded
_STANDS: Final = _C.superseded_by.is_(None)


class Full(Exception):
    """An agent has published as much as it may."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is to be published; the caller bounds it and sees to it that everybody may read it."""

    agent: str
    asked_by: str = ""
    title: str
    text: str
    topic: str = ""
    source: str
    #: from 0 to 1
    confidence: float
    trace_id: str = ""


@dataclass(frozen=True)
class Published:
    id: int
    #: what it took the place of: the same agent's, of the same title
    instead_of: int | None


async def publish(unit: Unit, new: Finding, now: datetime) -> Published:
    """Add it, as an event too; raises `Full`."""
    await one_at_a_time(unit, f"knowledge of {new.agent}")
    values = {name: getattr(new, name) for name in new.__dataclass_fields__}
    values |= {name: storable(values[name]) for name in ("title", "text", "topic", "source")}
    mine = sa.and_(_C.agent == new.agent, _STANDS)
    same = sa.func.lower(_C.title) == sa.func.lower(values["title"])
    before = (await run(unit, sa.select(_C.id).where(mine, same).limit(1))).scalar()
    if (
        before is None
        and (await run(unit, sa.select(sa.func.count()).where(mine))).scalar_one() >= MOST
    ):
        raise Full(f"{new.agent} has published {MOST} findings, which is the most")
    add = sa.insert(KNOWLEDGE).values(**values, published_at=now).returning(_C.id)
    number = (await run(unit, add)).scalar_one()
    if before is not None:
        change = sa.update(KNOWLEDGE).where(_C.id == before)
        await run(unit, change.values(superseded_by=number))
    await events.record(
        unit,
        topic="knowledge.published" if before is None else "knowledge.superseded",
        agent=new.agent,
        text=f"{new.agent} knows ({new.confidence:.0%} sure): {values['title']}",
        at=now,
        ref=f"knowledge:{number}",
        trace_id=new.trace_id,
    )
    return Published(number, before)


async def by_id(unit: Unit, number: int) -> Knowledge | None:
    """One finding, superseded or not."""
    row = (await run(unit, sa.select(*_COLUMNS).where(_C.id == number))).mappings().one_or_none()
    return None if row is None else Knowledge(**row)


async def find(unit: Unit, words: str, limit: int = 10) -> list[Knowledge]:
    """The best standing findings for `words`, raw text; those with every word come first. No words:
    the newest.
    """
    wanted = split(words)
    if not wanted:
        newest = sa.select(*_COLUMNS).where(_STANDS).order_by(_C.id.desc()).limit(limit)
        return [Knowledge(**row) for row in (await run(unit, newest)).mappings()]
    best = await _best(unit, wanted, limit, every=True)
    if len(best) < limit and len(wanted) > 1:
        known = {one.id for one in best}
        more = await _best(unit, wanted, limit, every=False)
        best += [one for one in more if one.id not in known]
    return best[:limit]


async def _best(unit: Unit, words: Sequence[str], limit: int, *, every: bool) -> list[Knowledge]:
    one = _in_tsvector if unit.dialect == "postgresql" else _in_fts
    hits = one(words, every=every).subquery()
    query = (
        sa.select(*_COLUMNS)
        .join(hits, hits.c.id == _C.id)
        .where(_STANDS)
        # Of two that fit as well, the surer one.
        .order_by(hits.c.rank.desc(), _C.confidence.desc(), _C.id.desc())
        .limit(limit)
    )
    return [Knowledge(**row) for row in (await run(unit, query)).mappings()]


def _in_fts(words: Sequence[str], *, every: bool) -> sa.Select[*tuple[Any, ...]]:
    quoted = ['"' + word.replace('"', '""') + '"' for word in words]
    match = (" AND " if every else " OR ").join(quoted)
    query = sa.select(_FTS.c.rowid.label("id"), _BM25.label("rank"))
    return query.where(_FTS_NAME.op("MATCH")(match))


def _in_tsvector(words: Sequence[str], *, every: bool) -> sa.Select[*tuple[Any, ...]]:
    asked = [sa.func.phraseto_tsquery(_CONFIGURATION, word) for word in words]
    query: sa.ColumnElement[Any] = asked[0]
    for other in asked[1:]:
        query = query.op("&&" if every else "||")(other)
    rank = sa.func.ts_rank(_TSVECTOR, query).label("rank")
    return sa.select(_C.id, rank).where(_TSVECTOR.op("@@")(query))
