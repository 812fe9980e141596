"""Stores a log under its own times, through the ingest that live lines take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

from bots.irc.casemapping import fold
from bots.replay.parse import Event, EventKind
from storage.record import NewLine, keep, last_id
from storage.store import Store
from storage.tables import LineKind

BATCH = 200
#: stands where a live line names the agent whose socket read it
HEARD_BY = "replay"


@dataclass
class Stored:
    new: int = 0
    #: stored before, by an earlier replay of the same log
    known: int = 0


async def keep_log(
    store: Store,
    lines: Sequence[NewLine],
    *,
    on_kept: Callable[[int], None],
) -> Stored:
    """Store `lines` of one channel, 200 a transaction; `on_kept` gets the count so far.

    May be run again, also after it was interrupted: what is stored already stays as it is.
    Raises `storage.errors.StorageError` when the database cannot be written.
    """
    stored = Stored()
    for start in range(0, len(lines), BATCH):
        batch = lines[start : start + BATCH]
        async with store.writing() as unit:
            # Behind the newest row, so that a line of long ago is never taken for one of today;
            # its msgid alone tells whether it is known.
            newest = await last_id(unit, batch[0].network, batch[0].channel)
            kept = await keep(unit, batch, newest)
        stored.new += sum(kept.new)
        stored.known += len(batch) - sum(kept.new)
        on_kept(start + len(batch))
    return stored


def lines_of(
    events: Sequence[Event], *, network: str, channel: str, day: date, now: datetime, trace_id: str
) -> list[NewLine]:
    """Rows for the events of a log that began on `day` (UTC), mode changes left out: pure.

    A msgid made of the day and the line itself lets the same log be stored twice without harm.
    """
    midnight = datetime.combine(day, time(), UTC)
    return [
        NewLine(
            network=network,
            channel=fold(channel),
            sender=event.nick,
            kind=LineKind(event.kind.value),
            text=_text(event),
            said_at=midnight + timedelta(minutes=event.minute),
            heard_at=now,
            heard_by=HEARD_BY,
            msgid=_msgid(day, event),
            trace_id=trace_id,
        )
        for event in events
        if event.kind is not EventKind.MODE
    ]


def _text(event: Event) -> str:
    """What a live line of this kind carries; see `bots.irc`."""
    if event.kind is EventKind.NICK:
        return event.other
    if event.kind is EventKind.KICK:
        return f"{event.other}: {event.text}"
    return event.text


def _msgid(day: date, event: Event) -> str:
    content = repr((event.kind.value, event.nick, event.other, event.text))
    return f"log:{day}:{event.number}:{sha256(content.encode()).hexdigest()[:16]}"
