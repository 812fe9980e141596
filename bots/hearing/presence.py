"""Sitting in channels: being the listener where nobody is, and hearing what was missed.

Who becomes a channel's listener, or comes back as one, asks the network for what was said since the
record was last surely whole. Lines that others heard meanwhile may lie behind a gap; but a channel
is without a listener for `LEASE_S` at most, so what is older than `WHOLE_AFTER` hides none. What
comes twice is known by its id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from bots.hearing.listening import LEASE_S, Ears
from bots.transport import Transport
from storage import record
from storage.errors import StorageError
from storage.store import Store

#: clocks of two machines may differ, and a lease is looked at every few seconds
WHOLE_AFTER = timedelta(seconds=3 * LEASE_S)


@dataclass(frozen=True)
class Presence:
    """One agent in its channels."""

    store: Store
    agent: str
    ears: Ears
    #: by network
    transports: Mapping[str, Transport]
    clock: Callable[[], datetime]
    log: FilteringBoundLogger

    async def sit_in(self, network: str, channel: str) -> None:
        """Be the channel's listener if nobody is."""
        try:
            await self.ears.volunteer(network, channel)
        except StorageError as error:
            self.log.warning("lease.unreachable", channel=channel, error=str(error))

    async def came_back(self, network: str) -> None:
        """A session began anew: hear what was said meanwhile in the channels that we listen to for
        all, and to us in private, which nobody else can hear.
        """
        for channel in self.transports[network].health.channels:
            if self.ears.listens(network, channel):
                await self.catch_up(network, channel)
        try:
            async with self.store.reading() as unit:
                before = self.clock() - WHOLE_AFTER
                after = await record.last_private(unit, network, self.agent, before)
        except StorageError as error:
            self.log.warning("record.unreadable", error=str(error))
            return
        for person, message in after.items():
            await self.transports[network].fetch_missed(person, message)

    async def catch_up(self, network: str, channel: str) -> None:
        """Hear what was said in a channel while it had no listener."""
        try:
            async with self.store.reading() as unit:
                before = self.clock() - WHOLE_AFTER
                after = await record.last_msgid(unit, network, channel, before)
        except StorageError as error:
            self.log.warning("record.unreadable", error=str(error))
            return
        if after is not None:
            await self.transports[network].fetch_missed(channel, after)
