"""Who of all the ears in a channel listens for everybody: whoever holds its lease."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from bots.hearing.earshot import Channel
from storage import inbox, leases, record
from storage.store import Store

LEASE_S: Final = 15.0


class Leasing:
    """One agent's leases; each stands at its `Channel`. All raise `StorageError`."""

    def __init__(
        self,
        store: Store,
        agent: str,
        *,
        clock: Callable[[], datetime],
        taken: Callable[[Channel, int, int], None],
    ) -> None:
        """`taken` is told the channel whose listener we became, the id of its newest stored line,
        and how many answers we took over that its listener owes.
        """
        self._store = store
        self._agent = agent
        self._clock = clock
        self._taken = taken

    async def renew(self, channels: Iterable[Channel]) -> None:
        """Keep the leases that we hold; one transaction for all of them."""
        now = self._clock()
        held = [c for c in channels if c.lease is not None]
        if held:
            async with self._store.writing() as unit:
                for channel in held:
                    channel.lease = await leases.acquire(
                        unit, channel.lease_name, self._agent, now=now, ttl_s=LEASE_S
                    )

    async def volunteer(self, channel: Channel) -> None:
        """Become the channel's listener if nobody is."""
        async with channel.volunteering:
            if channel.lease is not None:
                return
            now = self._clock()
            async with self._store.reading() as unit:
                holds = await leases.current(unit, channel.lease_name, now)
            if holds is None or holds.holder == self._agent:
                await self._take_over(channel, now)

    async def _take_over(self, channel: Channel, now: datetime) -> None:
        async with self._store.writing() as unit:
            channel.lease = await leases.acquire(
                unit, channel.lease_name, self._agent, now=now, ttl_s=LEASE_S
            )
            adopted = last = 0
            if channel.lease is not None:
                last = await record.last_id(unit, channel.network, channel.name)
                adopted = await inbox.adopt(unit, channel.session, self._agent, now)
        if channel.lease is not None:
            self._taken(channel, last, adopted)
