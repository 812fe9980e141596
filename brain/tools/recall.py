"""Reads of the record that only the brain's tools need: lines of one person, lines around one
line.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlmodel import col

from brain.tools.period import Period
from storage import record
from storage.tables import TALK, Message
from storage.unit import Unit


def is_public(channel: str) -> bool:
    """Channels are; private talk with an agent is nobody else's to find."""
    return channel.startswith(("#", "&"))


async def lines_of(
    unit: Unit, nick: str, channel: str | None, when: Period, limit: int
) -> list[Message]:
    """What `nick` (spelled as recorded) said in public, newest first."""
    query = select(*record.LINE).where(
        col(Message.sender) == nick, col(Message.kind).in_(TALK), _in(channel)
    )
    if when.since is not None:
        query = query.where(col(Message.said_at) >= when.since)
    if when.until is not None:
        query = query.where(col(Message.said_at) < when.until)
    # By the time it was said: a day that was stored later is older all the same.
    newest = query.order_by(col(Message.said_at).desc(), col(Message.id).desc())
    return await record.messages(unit, newest.limit(limit))


async def last_public(unit: Unit, nick: str, channel: str | None = None) -> Message | None:
    """The newest public line, talk or presence, of `nick` in whatever case."""
    query = select(*record.LINE).where(func.lower(Message.sender) == nick.lower())
    query = query.where(_in(channel)).order_by(col(Message.said_at).desc(), col(Message.id).desc())
    return next(iter(await record.messages(unit, query.limit(1))), None)


async def around(unit: Unit, message_id: int, lines: int) -> Sequence[Message]:
    """The talk from `lines` lines before to `lines` lines after a public line; empty when there is
    none.
    """
    one = select(*record.LINE).where(col(Message.id) == message_id)
    middle = next(iter(await record.messages(unit, one)), None)
    if middle is None or not is_public(middle.channel):
        return []
    same = select(*record.LINE).where(
        col(Message.network) == middle.network,
        col(Message.channel) == middle.channel,
        col(Message.kind).in_(TALK),
    )
    number = col(Message.id)
    earlier = same.where(number < message_id).order_by(number.desc()).limit(lines)
    later = same.where(number > message_id).order_by(number).limit(lines)
    before, after = await record.messages(unit, earlier), await record.messages(unit, later)
    return [*before[::-1], middle, *after]


def _in(channel: str | None) -> ColumnElement[bool]:
    if channel is not None:
        return col(Message.channel) == channel
    return ~col(Message.channel).startswith("nick:")
