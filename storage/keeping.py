"""Writing the record of channels: every line once, however many agents heard it.

A listener calls `keep` with what it heard; the others call `compare`, and `keep` what is missing.
Import these from `storage.record`, which adds the questions one may ask of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from storage.alignment import Line, Stay, StoredLine, align
from storage.core import INBOX, MESSAGE, REPLY, insert, one_at_a_time, run
from storage.lines import Kept, NewLine, Owed
from storage.moments import Moment, in_sequence
from storage.tables import InboxState
from storage.text import storable
from storage.unit import Unit

#: how long after `sending` a line in a channel is still recognised as an agent's own reply
HOPS_WINDOW: Final = timedelta(minutes=10)
#: rows that one comparison looks back over
MAX_TAIL: Final = 5_000
#: bound variables that one statement may carry (SQLite's oldest limit is 999)
_CHUNK: Final = 500


async def last_id(unit: Unit, network: str, channel: str) -> int:
    """The newest id in a channel, 0 when it has no lines: the `after_id` of who joins now."""
    newest = sa.select(sa.func.max(MESSAGE.c.id)).where(*_in_channel(network, channel))
    return (await run(unit, newest)).scalar() or 0


async def compare(
    unit: Unit,
    lines: Sequence[NewLine],
    after_id: int,
    heard_since: datetime | None = None,
    *,
    stay: Stay | None = None,
) -> list[int | None]:
    """For each heard line of one channel its stored id, None where it is not stored.

    `lines` is everything this agent heard since `after_id` was the newest id, in the order heard.
    A msgid decides where both sides have one; the rest is aligned (`storage.alignment`) with at
    most the newest `MAX_TAIL` rows. What somebody heard before `heard_since` is none of `lines`,
    however late it was stored. Of what others heard during its `stay` this agent missed nothing.
    """
    if not lines:
        return []
    lines = [_clean(line) for line in lines]
    found, _ = await _compare(unit, lines, after_id, heard_since, stay=stay)
    return found


async def keep(
    unit: Unit,
    lines: Sequence[NewLine],
    after_id: int,
    heard_since: datetime | None = None,
    *,
    stay: Stay | None = None,
    until: datetime | None = None,
) -> Kept:
    """As `compare`, and store what is missing, in the order heard, with the inbox rows it owes.

    Lines of several channels may come together. What was heard after `until` is compared (else a
    row of a later line could be taken for an earlier one) but not stored. Runs in the caller's
    write transaction, so a line is never stored without its inbox rows.
    """
    lines = [_clean(line) for line in lines]
    channels: dict[tuple[str, str], list[int]] = {}
    for index, line in enumerate(lines):
        channels.setdefault((line.network, line.channel), []).append(index)
    found: list[int | None] = [None] * len(lines)
    for network, channel in sorted(channels):
        await one_at_a_time(unit, f"record:{network}:{channel}")
        indexes = channels[network, channel]
        heard = [lines[i] for i in indexes]
        known, said_at = await _compare(unit, heard, after_id, heard_since, stay=stay)
        for index, message_id, line in zip(
            indexes, known, _timed(heard, known, said_at), strict=True
        ):
            found[index], lines[index] = message_id, line
    fresh = [
        index
        for index, message_id in enumerate(found)
        if message_id is None and (until is None or lines[index].heard_at <= until)
    ]
    stored = await _store(unit, [lines[index] for index in fresh])
    for index, message_id in zip(fresh, stored, strict=True):
        found[index] = message_id
    first = {found[index]: index for index in reversed(fresh)}
    new = [first.get(message_id) == index for index, message_id in enumerate(found)]
    return Kept(found, new)


async def keep_new(unit: Unit, line: NewLine) -> int | None:
    """Store a line that no other agent can have heard, such as a private message.

    Nothing is compared, save the msgid: None when a line with it is stored already.
    """
    clean = _clean(line)
    await one_at_a_time(unit, f"record:{clean.network}:{clean.channel}")
    here = _in_channel(clean.network, clean.channel)
    if (await _by_msgid(unit, [clean], here))[0] is not None:
        return None
    return (await _store(unit, [clean]))[0]


def _clean(line: NewLine) -> NewLine:
    if line.text.isprintable() and line.sender.isprintable():
        return line
    return replace(line, text=storable(line.text), sender=storable(line.sender))


def _in_channel(network: str, channel: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (MESSAGE.c.network == network, MESSAGE.c.channel == channel)


async def _compare(
    unit: Unit,
    lines: Sequence[NewLine],
    after_id: int,
    heard_since: datetime | None,
    *,
    stay: Stay | None,
) -> tuple[list[int | None], dict[int, datetime]]:
    """The stored id of each line, and when each row of the tail was said."""
    first = lines[0]
    here = _in_channel(first.network, first.channel)
    found = await _by_msgid(unit, lines, here)
    if heard_since is not None:
        here = (*here, MESSAGE.c.heard_at >= heard_since)
    tail = await _tail_after(unit, here, after_id, MAX_TAIL + 2 * len(lines))
    taken = {message_id for message_id in found if message_id is not None}
    # A line with a msgid is another line than a row with a different one, whatever they say.
    for has_msgid in (True, False):
        rows = [
            StoredLine(row.id, _as_stored(row))
            for row in tail
            if row.id not in taken and not (has_msgid and row.msgid is not None)
        ]
        left = [
            index
            for index, line in enumerate(lines)
            if found[index] is None and (line.msgid is not None) is has_msgid
        ]
        if rows and left:
            heard = [_as_line(lines[index]) for index in left]
            aligned = align(heard, rows, stay=stay)
            for index, message_id in zip(left, aligned, strict=True):
                found[index] = message_id
            taken.update(message_id for message_id in found if message_id is not None)
    return found, {row.id: row.said_at for row in tail}


def _timed(
    lines: Sequence[NewLine], found: Sequence[int | None], said_at: dict[int, datetime]
) -> list[NewLine]:
    """The lines, those whose only time is a listener's own stamp moved into their sequence."""
    places = [i for i, line in enumerate(lines) if line.said_at == line.heard_at and not line.msgid]
    known = [said_at.get(found[i] or 0) for i in places]
    moments = [
        Moment(lines[i].sender.lower(), stored or lines[i].said_at, is_stored=stored is not None)
        for i, stored in zip(places, known, strict=True)
    ]
    timed = list(lines)
    for place, moment in zip(places, in_sequence(moments), strict=True):
        if moment != lines[place].said_at:
            timed[place] = replace(lines[place], said_at=moment)
    return timed


def _as_line(line: NewLine) -> Line:
    words = (str(line.kind), line.text)
    return Line(line.sender.lower(), words, line.heard_by, line.heard_at, line.lag_s)


def _as_stored(row: sa.Row[Any]) -> Line:
    return Line(row.sender.lower(), (row.kind, row.text), row.heard_by, row.at, row.lag_s)


async def _by_msgid(
    unit: Unit, lines: Sequence[NewLine], here: Sequence[sa.ColumnElement[bool]]
) -> list[int | None]:
    wanted = list({line.msgid for line in lines if line.msgid is not None})
    ids: dict[str, int] = {}
    for start in range(0, len(wanted), _CHUNK):
        query = sa.select(MESSAGE.c.msgid, MESSAGE.c.id).where(
            *here, MESSAGE.c.msgid.in_(wanted[start : start + _CHUNK])
        )
        ids.update((row.msgid, row.id) for row in await run(unit, query))
    return [None if line.msgid is None else ids.get(line.msgid) for line in lines]


async def _tail_after(
    unit: Unit, here: Sequence[sa.ColumnElement[bool]], after_id: int, limit: int
) -> Sequence[sa.Row[Any]]:
    c = MESSAGE.c
    query = (
        sa.select(
            *(c.id, c.sender, c.kind, c.text, c.heard_by, c.heard_at.label("at")),
            *(c.said_at, c.msgid, c.lag_s),
        )
        .where(*here, c.id > after_id)
        .order_by(c.id.desc())
        .limit(limit)
    )
    return list(reversed((await run(unit, query)).all()))


async def _store(unit: Unit, lines: Sequence[NewLine]) -> list[int]:
    if not lines:
        return []
    hops = await _hops(unit, lines)
    first: dict[tuple[str, str, str], int] = {}
    rows: list[dict[str, Any]] = []
    places: list[int] = []
    for line, hop in zip(lines, hops, strict=True):
        # The same msgid twice in one batch is one line heard twice.
        key = (line.network, line.channel, line.msgid or f"\0{len(rows)}")
        places.append(first.setdefault(key, len(rows)))
        if places[-1] == len(rows):
            rows.append(_columns(line, hop))
    bulk = sa.insert(MESSAGE).returning(MESSAGE.c.id, sort_by_parameter_order=True)
    stored = list((await run(unit, bulk, rows)).scalars())
    ids = [stored[place] for place in places]
    owed = [
        _inbox_row(owed, line, message_id)
        for line, message_id in zip(lines, ids, strict=True)
        for owed in line.owed
    ]
    if owed:
        await run(unit, insert(unit, INBOX).on_conflict_do_nothing(), owed)
    return ids


def _columns(line: NewLine, hops: int) -> dict[str, Any]:
    return {
        "network": line.network,
        "channel": line.channel,
        "sender": line.sender,
        "account": line.account,
        "kind": str(line.kind),
        "text": line.text,
        "said_at": line.said_at,
        "heard_at": line.heard_at,
        "heard_by": line.heard_by,
        "lag_s": line.lag_s,
        "msgid": line.msgid,
        "agent": line.agent,
        "hops": hops,
        "trace_id": line.trace_id,
    }


def _inbox_row(owed: Owed, line: NewLine, message_id: int) -> dict[str, Any]:
    return {
        "agent": owed.agent,
        "message_id": message_id,
        "session": owed.session,
        "priority": owed.priority,
        "state": str(InboxState.QUEUED),
        "listener_of": owed.listener_of,
        "queued_at": line.heard_at,
        "note": "",
        "trace_id": line.trace_id,
    }


async def _hops(unit: Unit, lines: Sequence[NewLine]) -> list[int]:
    """The hops of each line: of the reply it is, where one of our agents said it."""
    own = [line for line in lines if line.agent is not None]
    if not own:
        return [line.hops for line in lines]
    c = REPLY.c
    since = min(line.heard_at for line in own) - HOPS_WINDOW
    query = sa.select(c.agent, c.target, c.text, c.proof, c.hops).where(
        c.agent.in_({line.agent for line in own}),
        c.target.in_({f"{line.network}:{line.channel}" for line in own}),
        c.sending_at >= since,
    )
    hops: dict[tuple[str | None, str, str], int] = {}
    for row in await run(unit, query.order_by(c.id)):
        # In id order, so the newest of equal replies wins. What grew after it was heard has other
        # words now, and is known by the network's id.
        hops[row.agent, row.target, row.text] = row.hops
        if row.proof.startswith("id:"):
            hops[row.agent, row.target, row.proof] = row.hops

    def of(line: NewLine) -> int:
        place = f"{line.network}:{line.channel}"
        by_id = hops.get((line.agent, place, f"id:{line.msgid}"), line.hops)
        return hops.get((line.agent, place, line.text), by_id)

    return [of(line) for line in lines]
