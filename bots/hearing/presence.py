"""Sitting in channels: being the listener where nobody is, and hearing what was missed.

Who becomes a channel's listener, or comes back as one, asks the network for what was said since the
record was last surely whole. Lines that others heard meanwhile may lie behind a gap; but a channel
is without a listener for `LEASE_S` at most, so what is older than `WHOLE_AFTER` hides none. What
comes twice is known by its id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from structlog.typing import FilteringBoundLogger

from bots.hearing.leasing import LEASE_S
from bots.hearing.listening import Ears
from bots.transport import Transport
from storage import acquaintances, record
from storage.errors import StorageError
from storage.store import Store
from storage.unit import Unit

T = TypeVar("T")

#: clocks of two machines may differ, and a lease is looked at every few seconds
WHOLE_AFTER: Final = timedelta(seconds=3 * LEASE_S)
#: who has spoken in a channel within this time may have spoken to us in private for the first time
STRANGERS_WITHIN: Final = timedelta(hours=1)
_AGAIN_S: Final = 1.0


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
        now = self.clock()
        for channel in self.transports[network].health.channels:
            if self.ears.listens(network, channel):
                await self.catch_up(network, channel)
        after = await self._asked(lambda unit: self._private(unit, network, now))
        for person, begin in after.items():
            await self.transports[network].fetch_missed(person, begin)

    async def catch_up(self, network: str, channel: str) -> None:
        """Hear what was said in a channel while it had no listener.

        Where nothing is recorded (a quiet channel, a new thread) nothing was ever said as long as
        somebody was there to hear it, which was when the last line of any channel was heard.
        """
        if not self.transports[network].keeps_history:
            return
        before = self.clock() - WHOLE_AFTER

        async def whole_until(unit: Unit) -> str | None:
            last = await record.last_msgid(unit, network, channel, before)
            return last or await record.last_msgid_anywhere(unit, network, before)

        after = await self._asked(whole_until)
        if after is not None:
            await self.transports[network].fetch_missed(channel, after)

    async def _private(self, unit: Unit, network: str, now: datetime) -> dict[str, str | datetime]:
        """From where on each person's private lines are to be heard.

        Who spoke to us for the first time while we were away left no trace with us; so who talks in
        channels is asked about as well.
        """
        since = now - STRANGERS_WITHIN
        after: dict[str, str | datetime] = dict.fromkeys(
            await acquaintances.talkers(unit, network, since), since
        )
        known = await acquaintances.last_private(unit, network, self.agent, now - WHOLE_AFTER)
        return after | {person: message or since for person, message in known.items()}

    async def _asked(self, ask: Callable[[Unit], Awaitable[T]]) -> T:
        """What the record says, however long it takes to answer: a gap is not asked about twice."""
        while True:
            try:
                async with self.store.reading() as unit:
                    return await ask(unit)
            except StorageError as error:
                self.log.warning("record.unreadable", error=str(error))
                await asyncio.sleep(_AGAIN_S)
