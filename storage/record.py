"""The record of channels: what was said where, and the questions one may ask of it.

Writing it (`keep`, `compare`) lives in `storage.keeping` and is offered here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from storage.core import INBOX, MESSAGE, REPLY, TURN, run
from storage.keeping import compare, keep, keep_new, last_id
from storage.lines import Kept, NewLine, Owed
from storage.tables import TALK, InboxState, LineKind, Message, ReplyState
from storage.text import storable
from storage.unit import Unit

__all__ = [
    "LINE",
    "Kept",
    "NewLine",
    "Owed",
    "Stats",
    "between",
    "channels",
    "compare",
    "count_after",
    "keep",
    "keep_new",
    "last_id",
    "last_msgid",
    "last_msgid_anywhere",
    "last_seen",
    "line",
    "messages",
    "prune",
    "reword",
    "spoken",
    "stats",
    "tail",
]

_TALK: Final = [str(kind) for kind in TALK]
_OPEN: Final = [str(InboxState.QUEUED), str(InboxState.WORKING)]
#: lines, the newest first, among which `spoken` looks
_MOST_SPOKEN: Final = 5_000
#: the columns of a whole line
LINE: Final = [MESSAGE.c[name] for name in Message.model_fields]


@dataclass(frozen=True)
class Stats:
    """Figures about the talk in a channel."""

    lines: int
    #: the most talkative, most lines first
    speakers: list[tuple[str, int]]
    #: how many people spoke
    people: int
    first_at: datetime | None
    last_at: datetime | None
    #: hour of the day (UTC, 0 to 23) with the most lines
    busiest_hour: int | None


async def tail(
    unit: Unit, network: str, channel: str, limit: int, before_id: int | None = None
) -> list[Message]:
    """The newest `limit` lines of a channel, oldest first; with `before_id`, of those before it."""
    where = [MESSAGE.c.network == network, MESSAGE.c.channel == channel]
    if before_id is not None:
        where.append(MESSAGE.c.id < before_id)
    query = sa.select(*LINE).where(*where).order_by(MESSAGE.c.id.desc()).limit(limit)
    return list(reversed(await messages(unit, query)))


async def count_after(
    unit: Unit, network: str, channel: str, after_id: int, heard_since: datetime
) -> int:
    """How many rows of a channel have an id above `after_id` and were heard since that time."""
    c = MESSAGE.c
    query = sa.select(sa.func.count()).where(
        c.network == network,
        c.channel == channel,
        c.id > after_id,
        c.heard_at >= heard_since,
    )
    return (await run(unit, query)).scalar() or 0


async def between(  # noqa: PLR0917  a place, a span and a limit
    unit: Unit,
    network: str,
    channel: str,
    since: datetime,
    until: datetime,
    limit: int,
) -> list[Message]:
    """Lines said from `since` up to but not including `until`, oldest first, the newest `limit`."""
    query = (
        sa.select(*LINE)
        .where(
            MESSAGE.c.network == network,
            MESSAGE.c.channel == channel,
            MESSAGE.c.said_at >= since,
            MESSAGE.c.said_at < until,
        )
        .order_by(MESSAGE.c.said_at.desc(), MESSAGE.c.id.desc())
        .limit(limit)
    )
    return list(reversed(await messages(unit, query)))


async def last_seen(unit: Unit, nick: str, channel: str | None = None) -> Message | None:
    """The latest line (talk or presence) of `nick`, whatever its case; None when never seen."""
    where = [sa.func.lower(MESSAGE.c.sender) == storable(nick).lower()]
    if channel is not None:
        where.append(MESSAGE.c.channel == channel)
    query = sa.select(*LINE).where(*where)
    newest = query.order_by(MESSAGE.c.said_at.desc(), MESSAGE.c.id.desc()).limit(1)
    return next(iter(await messages(unit, newest)), None)


async def last_msgid(unit: Unit, network: str, channel: str, before: datetime) -> str | None:
    """The network's id of the newest line of a channel that was heard before then, of its oldest
    line when all are younger; None without any. Ids must grow, as Discord's do.
    """
    c = MESSAGE.c
    named = sa.select(c.msgid).where(
        c.network == network, c.channel == channel, c.msgid.is_not(None)
    )
    older = named.where(c.heard_at < before)
    newest = older.order_by(sa.func.length(c.msgid).desc(), c.msgid.desc()).limit(1)
    first = named.order_by(sa.func.length(c.msgid), c.msgid).limit(1)
    return (await run(unit, newest)).scalar() or (await run(unit, first)).scalar()


async def last_msgid_anywhere(unit: Unit, network: str, before: datetime) -> str | None:
    """As `last_msgid`, of all channels together; None when nobody was ever there to hear."""
    c = MESSAGE.c
    named = sa.select(c.msgid).where(c.network == network, c.msgid.is_not(None))
    newest = named.where(c.heard_at < before).order_by(c.said_at.desc(), c.id.desc()).limit(1)
    first = named.order_by(c.said_at, c.id).limit(1)
    return (await run(unit, newest)).scalar() or (await run(unit, first)).scalar()


async def stats(
    unit: Unit,
    channel: str,
    since: datetime | None = None,
    *,
    network: str | None = None,
    speakers: int = 10,
) -> Stats:
    """Figures about the talk in `channel` since `since` (from the beginning when None)."""
    c = MESSAGE.c
    where = [c.channel == channel, c.kind.in_(_TALK)]
    if since is not None:
        where.append(c.said_at >= since)
    if network is not None:
        where.append(c.network == network)
    lines = sa.func.count()
    total = sa.select(
        lines.label("lines"),
        sa.func.count(sa.distinct(c.sender)).label("people"),
        sa.func.min(c.said_at, type_=c.said_at.type).label("first_at"),
        sa.func.max(c.said_at, type_=c.said_at.type).label("last_at"),
    ).where(*where)
    by_sender = sa.select(c.sender, lines.label("lines")).where(*where).group_by(c.sender)
    hour = sa.cast(sa.extract("hour", c.said_at), sa.Integer).label("hour")
    by_hour = sa.select(hour, lines).where(*where).group_by(hour).order_by(lines.desc(), hour)
    row = (await run(unit, total)).one()
    top = await run(unit, by_sender.order_by(lines.desc(), c.sender).limit(speakers))
    return Stats(
        lines=row.lines,
        speakers=[(who.sender, who.lines) for who in top],
        people=row.people,
        first_at=row.first_at,
        last_at=row.last_at,
        busiest_hour=(await run(unit, by_hour.limit(1))).scalar(),
    )


async def spoken(unit: Unit, since: datetime) -> dict[tuple[str, str], datetime]:
    """Network and channel → when people last spoke there, where they have after `since` and to no
    agent in particular: what an agent owes a look gets its answer anyway. Bots and notices are no
    people.
    """
    c = MESSAGE.c
    query = sa.select(c.network, c.channel, c.said_at).where(
        c.said_at > since,
        c.agent.is_(None),
        c.hops == 0,
        c.kind.in_([str(LineKind.SAID), str(LineKind.ACTION)]),
        ~sa.exists().where(INBOX.c.message_id == c.id),
    )
    # Not grouped by the database, which would read the whole record in the order of the channels.
    rows = await run(unit, query.order_by(c.said_at.desc()).limit(_MOST_SPOKEN))
    newest: dict[tuple[str, str], datetime] = {}
    for network, channel, said_at in rows:
        newest.setdefault((network, channel), said_at)
    return newest


async def channels(unit: Unit) -> list[tuple[str, str, int]]:
    """Every channel with its network and number of lines (talk and presence), by name."""
    c = MESSAGE.c
    query = sa.select(c.network, c.channel, sa.func.count()).group_by(c.network, c.channel)
    rows = await run(unit, query.order_by(c.network, c.channel))
    return [(network, channel, lines) for network, channel, lines in rows.all()]


async def reword(unit: Unit, network: str, channel: str, msgid: str, text: str) -> None:
    """The line that the network knows by this id says `text` now."""
    c = MESSAGE.c
    change = sa.update(MESSAGE).where(c.network == network, c.channel == channel, c.msgid == msgid)
    await run(unit, change.values(text=storable(text)))


async def prune(unit: Unit, before: datetime, *, limit: int = 5_000) -> int:
    """Delete the oldest lines heard before `before`, at most `limit`, and say how many.

    Call again while it returns `limit`: short transactions let the listeners write in between. A
    line stays while an agent still owes it a look or a reply to it is unsettled. Replies and turns
    stay, without the way back to what they answered.
    """
    owed = sa.select(INBOX.c.message_id).where(INBOX.c.state.in_(_OPEN))
    sending = (
        sa.select(INBOX.c.message_id)
        .join(REPLY, REPLY.c.inbox_id == INBOX.c.id)
        .where(REPLY.c.state == str(ReplyState.SENDING))
    )
    old = (
        sa.select(MESSAGE.c.id)
        .where(MESSAGE.c.heard_at < before, MESSAGE.c.id.not_in(owed), MESSAGE.c.id.not_in(sending))
        .order_by(MESSAGE.c.id)
        .limit(limit)
    )
    ids = list((await run(unit, old)).scalars())
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        rows = sa.select(INBOX.c.id).where(INBOX.c.message_id.in_(some))
        for table in (REPLY, TURN):
            forget = sa.update(table).where(table.c.inbox_id.in_(rows)).values(inbox_id=None)
            await run(unit, forget)
        await run(unit, sa.delete(INBOX).where(INBOX.c.message_id.in_(some)))
        await run(unit, sa.delete(MESSAGE).where(MESSAGE.c.id.in_(some)))
    return len(ids)


async def line(unit: Unit, message_id: int) -> Message | None:
    """The recorded line of this id."""
    found = await messages(unit, sa.select(*LINE).where(MESSAGE.c.id == message_id))
    return found[0] if found else None


async def messages(unit: Unit, query: sa.Select[*tuple[object, ...]]) -> list[Message]:
    """The rows of a query that selects the columns `LINE`."""
    return [Message(**row) for row in (await run(unit, query)).mappings()]
