"""How far posts that nobody asked for have got: nothing is told twice, and nothing is left out.

A post is begun, said and finished. What a dead process had begun counts as told as soon as one of
its lines was recorded as being sent, for that line may have arrived.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.audit import canonical
from storage.core import POSTING, REPLY, insert, run
from storage.unit import Unit

Mark = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Posted:
    """See `storage.tables.Posting`."""

    #: None before anybody looked
    mark: Mark | None
    pending: Mark | None
    trace_id: str
    #: when the last post was said; None before the first
    at: datetime | None


async def read(unit: Unit, topic: str) -> Posted:
    return (await read_all(unit, [topic]))[topic]


async def read_all(unit: Unit, topics: Collection[str]) -> dict[str, Posted]:
    """How far each of them is."""
    c = POSTING.c
    query = sa.select(c.topic, c.mark, c.pending, c.trace_id, c.at).where(c.topic.in_(topics))
    found = dict.fromkeys(topics, Posted(mark=None, pending=None, trace_id="", at=None))
    for row in await run(unit, query):
        found[row.topic] = Posted(
            mark=json.loads(row.mark) if row.mark else None,
            pending=json.loads(row.pending) if row.pending else None,
            trace_id=row.trace_id,
            # Where nothing was ever posted, the mark says only where this swarm began.
            at=row.at if row.mark and row.trace_id else None,
        )
    return found


async def start(unit: Unit, topic: str, mark: Mark, now: datetime) -> None:
    """There was nothing to tell at the first look: what came up to `mark` never will be."""
    c = POSTING.c
    await _enter(unit, topic, now)
    unmarked = sa.update(POSTING).where(c.topic == topic, c.mark == "", c.pending == "")
    await run(unit, unmarked.values(mark=canonical(mark), at=now))


async def reach(unit: Unit, topic: str, mark: Mark, now: datetime) -> None:
    """All up to `mark` is told, or need not be."""
    await _enter(unit, topic, now)
    change = sa.update(POSTING).where(POSTING.c.topic == topic)
    await run(unit, change.values(mark=canonical(mark), at=now))


async def begin(
    unit: Unit, topic: str, mark: Mark, trace_id: str, now: datetime, *, after: Mark | None
) -> bool:
    """A post that tells of everything between `after` and `mark` is about to be said; False when
    another one is being said, or was said since `after` was read.
    """
    c = POSTING.c
    await _enter(unit, topic, now)
    told = "" if after is None else canonical(after)
    change = sa.update(POSTING).where(c.topic == topic, c.pending == "", c.mark == told)
    return (
        await run(unit, change.values(pending=canonical(mark), trace_id=trace_id))
    ).rowcount == 1


async def finish(unit: Unit, topic: str, trace_id: str, now: datetime) -> bool:
    """The post that was begun as `trace_id` has ended; True when it counts as said: a line of it is
    on record, whatever became of that line.
    """
    c, r = POSTING.c, REPLY.c
    said = (await run(unit, sa.select(r.id).where(r.trace_id == trace_id).limit(1))).first()
    change = sa.update(POSTING).where(c.topic == topic, c.trace_id == trace_id, c.pending != "")
    if said is None:
        await run(unit, change.values(pending=""))
        return False
    return (await run(unit, change.values(mark=c.pending, pending="", at=now))).rowcount == 1


async def _enter(unit: Unit, topic: str, now: datetime) -> None:
    """See to it that the topic has its row."""
    first = insert(unit, POSTING).values(topic=topic, mark="", pending="", trace_id="", at=now)
    await run(unit, first.on_conflict_do_nothing(index_elements=["topic"]))
