"""Full-text search over what was heard: FTS5 on SQLite, `tsvector` on PostgreSQL.

Ranking every match of a common word takes tens of milliseconds in a large record, so only the
newest `CANDIDATES` matches are ranked. A line with all words comes first; when there is none, any
word will do, and each word then brings its own newest matches, so a rare word is not crowded out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from storage.core import MESSAGE, run
from storage.tables import TALK, LineKind
from storage.text import storable
from storage.unit import Unit

#: how many of the newest matches are ranked
CANDIDATES: Final = 2_000
#: words of a question beyond these are left out
MAX_WORDS: Final = 12

_FTS: Final = sa.table("message_fts", sa.column("rowid", sa.Integer))
_FTS_NAME: Final[sa.ColumnElement[Any]] = sa.literal_column("message_fts")
#: text counts, the channel and sender columns only narrow
_BM25: Final = sa.literal_column("-bm25(message_fts, 1.0, 0.0, 0.0)", sa.Float)
_TSVECTOR: Final[sa.ColumnElement[Any]] = sa.literal_column("message.search")
_CONFIGURATION: Final[sa.ColumnElement[Any]] = sa.literal_column("'parley'::regconfig")


@dataclass(frozen=True)
class Found:
    id: int
    network: str
    channel: str
    sender: str
    kind: str
    text: str
    said_at: datetime
    #: larger is better; figures of different searches do not compare
    rank: float


@dataclass(frozen=True)
class _Where:
    channel: str | None
    sender: str | None
    since: datetime | None
    until: datetime | None
    kinds: tuple[str, ...]
    #: ids that said_at allows, as far as an index knows
    ids: tuple[int, int] | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        c = MESSAGE.c
        found: list[sa.ColumnElement[bool]] = []
        if self.channel is not None:
            found.append(c.channel == self.channel)
        if self.sender is not None:
            found.append(sa.func.lower(c.sender) == self.sender.lower())
        if self.since is not None:
            found.append(c.said_at >= self.since)
        if self.until is not None:
            found.append(c.said_at < self.until)
        if set(self.kinds) != {str(kind) for kind in TALK}:
            found.append(c.kind.in_(self.kinds))
        return found


async def find(
    unit: Unit,
    words: str,
    *,
    channel: str | None = None,
    sender: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    kinds: Sequence[LineKind] = TALK,
    limit: int = 10,
) -> list[Found]:
    """The best `limit` lines of talk for `words`, which is raw text and never query syntax.

    English endings do not matter (*driver* finds *drivers*), nor do case and accents of Latin
    letters on SQLite. `channel` is exact, `sender` whatever its case, `since` ≤ said < `until`.
    """
    wanted = split(words)
    if not wanted or limit < 1:
        return []
    channel = None if channel is None else storable(channel)
    sender = None if sender is None else storable(sender)
    where = _Where(channel, sender, since, until, tuple(str(kind) for kind in kinds))
    if since is not None or until is not None:
        ids = await _ids_between(unit, where)
        if ids is None:
            return []
        where = _Where(channel, sender, since, until, where.kinds, ids)
    best = await _best(unit, [wanted], where, limit)
    if not best and len(wanted) > 1:
        best = await _best(unit, [[word] for word in wanted], where, limit)
    return best


def split(words: str) -> list[str]:
    """The words of a question, without repeats and without those that have no letter or digit."""
    said = storable(words).casefold().split()
    kept = (word for word in said if any(map(str.isalnum, word)))
    return list(dict.fromkeys(kept))[:MAX_WORDS]


async def _ids_between(unit: Unit, where: _Where) -> tuple[int, int] | None:
    c = MESSAGE.c
    query = sa.select(sa.func.min(c.id), sa.func.max(c.id)).where(
        *_Where(where.channel, None, where.since, where.until, tuple(map(str, TALK))).conditions()
    )
    low, high = (await run(unit, query)).one()
    return None if low is None else (low, high)


async def _best(
    unit: Unit, groups: Sequence[Sequence[str]], where: _Where, limit: int
) -> list[Found]:
    """Lines that match every word of one of the groups; ranks of several groups add up."""
    one = _in_tsvector if unit.dialect == "postgresql" else _in_fts
    candidates = max(CANDIDATES // len(groups), limit)
    hits = sa.union_all(
        *(sa.select(one(group, where, candidates).subquery()) for group in groups)
    ).subquery()
    rank = sa.func.sum(hits.c.rank, type_=sa.Float).label("rank")
    summed = sa.select(hits.c.id, rank).group_by(hits.c.id)
    top = summed.order_by(rank.desc(), hits.c.id.desc()).limit(limit).subquery()
    c = MESSAGE.c
    query = (
        sa.select(c.id, c.network, c.channel, c.sender, c.kind, c.text, c.said_at, top.c.rank)
        .join(top, top.c.id == c.id)
        .order_by(top.c.rank.desc(), c.id.desc())
    )
    return [Found(*row) for row in await run(unit, query)]


def _in_fts(group: Sequence[str], where: _Where, candidates: int) -> sa.Select[*tuple[Any, ...]]:
    match = f"{{text}} : ({' AND '.join(map(_quoted, group))})"
    for column, value in (("channel", where.channel), ("sender", where.sender)):
        if value is not None and any(map(str.isalnum, value)):
            match += f" AND {{{column}}} : {_quoted(value)}"
    query = sa.select(_FTS.c.rowid.label("id"), _BM25.label("rank")).where(
        _FTS_NAME.op("MATCH")(match)
    )
    if where.ids is not None:
        query = query.where(_FTS.c.rowid.between(*where.ids))
    conditions = where.conditions()
    if conditions:
        query = query.join(MESSAGE, MESSAGE.c.id == _FTS.c.rowid).where(*conditions)
    return query.order_by(_FTS.c.rowid.desc()).limit(candidates)


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


def _in_tsvector(
    group: Sequence[str], where: _Where, candidates: int
) -> sa.Select[*tuple[Any, ...]]:
    asked = [sa.func.phraseto_tsquery(_CONFIGURATION, word) for word in group]
    both: sa.ColumnElement[Any] = asked[0]
    for query in asked[1:]:
        both = both.op("&&")(query)
    newest = (
        sa.select(MESSAGE.c.id, sa.func.ts_rank(_TSVECTOR, both).label("rank"))
        .where(_TSVECTOR.op("@@")(both), *where.conditions())
        .order_by(MESSAGE.c.id.desc())
        .limit(candidates)
        .subquery()
    )
    # ts_rank does not know how rare a word is; the number of its matches tells.
    rarity = sa.func.ln(2 + sa.func.count().over())
    return sa.select(newest.c.id, (newest.c.rank / rarity).label("rank"))
