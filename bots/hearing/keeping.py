"""What was heard in one channel put beside what the record has of it; each a transaction's work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bots.hearing.earshot import Channel, Remembered
from storage import record
from storage.record import Kept
from storage.unit import Unit


async def stored(
    unit: Unit, channel: Channel, remembered: Sequence[Remembered]
) -> list[int | None]:
    """The id under which each of these lines is stored, None for one that is not."""
    return await record.compare(
        unit,
        [r.line for r in remembered],
        channel.after_id,
        channel.since,
        stay=channel.stay,
    )


async def kept(
    unit: Unit, channel: Channel, waiting: list[Remembered], until: datetime | None
) -> tuple[list[Remembered], Kept, bool]:
    """Store what waits, heard no later than `until`: what was compared, what became of each, and
    whether we know all that is stored.
    """
    last = await record.last_id(unit, channel.network, channel.name)
    alone = last == channel.last_own_id
    # Nobody else wrote since we did: nothing can match, only append. Else all that was heard by now
    # is compared: what others stored meanwhile may be any of it.
    window = waiting if alone else list(channel.memory)
    found = await record.keep(
        unit,
        [r.line for r in window],
        last if alone else channel.after_id,
        channel.since,
        stay=channel.stay,
        until=until,
    )
    ids = [stored_id for stored_id in found.ids if stored_id is not None]
    return window, found, alone or await _knows_all(unit, channel, ids)


async def _knows_all(unit: Unit, channel: Channel, ids: Iterable[int]) -> bool:
    """Whether we heard every line stored since `after_id`: one that we did not may still come to
    us, and must be compared then, however new our own rows are.
    """
    known = sum(1 for message_id in set(ids) if message_id > channel.after_id)
    count = await record.count_after(
        unit, channel.network, channel.name, channel.after_id, channel.since
    )
    return known == count
