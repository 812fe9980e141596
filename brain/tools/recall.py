"""Reads of the record that only the brain's tools need: lines of one person, lines around one
line.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, not_, select
from sqlmodel import col

from brain.tools.context import Context
from brain.tools.period import Period
from storage import record
from storage.tables import TALK, Message
from storage.unit import Unit


async def hidden(context: Context, unit: Unit) -> list[tuple[str, str]]:
    """Network and channel of what may not be quoted where this question was asked."""
    return [
        (network, channel)
        for network, channel, _ in await record.channels(unit)
        if not context.may_quote(network, channel)
    ]


async def lines_of(  # noqa: PLR0917  who, where, when, and how many
    context: Context, unit: Unit, nick: str, channel: str | None, when: Period, limit: int
) -> list[Message]:
    """What `nick` (spelled as recorded) said where it may be quoted, newest first."""
    query = select(*record.LINE).where(
        col(Message.sender) == nick,
        col(Message.kind).in_(TALK),
        *_in(channel, await hidden(context, unit)),
    )
    if when.since is not None:
        query = query.where(col(Message.said_at) >= when.since)
    if when.until is not None:
        query = query.where(col(Message.said_at) < when.until)
    # By the time it was said: a day that was stored later is older all the same.
    newest = query.order_by(col(Message.said_at).desc(), col(Message.id).desc())
    return await record.messages(unit, newest.limit(limit))


async def last_public(
    context: Context, unit: Unit, nick: str, channel: str | None = None
) -> Message | None:
    """The newest line, talk or presence, of `nick` in whatever case that may be quoted."""
    query = select(*record.LINE).where(func.lower(Message.sender) == nick.lower())
    places = _in(channel, await hidden(context, unit))
    query = query.where(*places).order_by(col(Message.said_at).desc(), col(Message.id).desc())
    return next(iter(await record.messages(unit, query.limit(1))), None)


async def around(context: Context, unit: Unit, message_id: int, lines: int) -> Sequence[Message]:
    """The talk from `lines` lines before to `lines` lines after a line that may be quoted; empty
    when there is none.
    """
    one = select(*record.LINE).where(col(Message.id) == message_id)
    middle = next(iter(await record.messages(unit, one)), None)
    if middle is None or not context.may_quote(middle.network, middle.channel):
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


def _in(channel: str | None, hidden_places: Sequence[tuple[str, str]]) -> list[ColumnElement[bool]]:
    named = [] if channel is None else [col(Message.channel) == channel]
    return named + [
        not_(and_(col(Message.network) == network, col(Message.channel) == place))
        for network, place in hidden_places
    ]
