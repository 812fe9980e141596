"""From what this agent's socket reads to the one record that the swarm shares.

Every agent in a channel hears it; one holds the channel's listener lease and stores at once, in
batches of at most `BATCH_S`. The others keep a short memory and, after `GRACE_S`, store what they
heard and the record lacks. Alignment in `storage.record` makes both idempotent, so the lease only
saves work: no line is lost with a dead listener, none is stored twice by a doubled one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from bots.hearing import keeping
from bots.hearing.earshot import GRACE_S, SLACK_S, Channel, Remembered
from bots.hearing.journal import Journal, Left, store_left
from bots.hearing.leasing import Leasing
from bots.insist import insist
from bots.metrics import LINES_HEARD, LINES_STORED
from storage import record
from storage.alignment import Stay
from storage.errors import StorageError
from storage.record import NewLine
from storage.store import Store
from storage.tables import LineKind
from storage.unit import Unit

BATCH_S = 0.05
RENEW_S = 5.0
#: a rejoin does not wait longer than this for the store
ENTER_WITHIN_S = 1.0
#: lines of one channel in one transaction
_BATCH_LINES = 200


class Ears:
    """One agent's hearing. `heard` takes lines; `run` stores them until cancelled."""

    def __init__(
        self,
        store: Store,
        agent: str,
        *,
        clock: Callable[[], datetime],
        journal: Journal,
        on_owed: Callable[[Iterable[str]], None],
        on_taken: Callable[[str, str], None] = lambda _network, _channel: None,
        log: FilteringBoundLogger,
    ) -> None:
        """`on_owed` gets the agents that new lines are for, `on_taken` network and channel when we
        become its listener.
        """
        self._store = store
        self._agent = agent
        self._clock = clock
        self._journal = journal
        self._on_owed = on_owed
        self._on_taken = on_taken
        self._log = log
        self._private: list[NewLine] = []
        self._leasing = Leasing(store, agent, clock=clock, taken=self._taken)
        self._channels: dict[tuple[str, str], Channel] = {}
        self._work = asyncio.Event()
        #: somebody owes an answer to a line that is to be stored
        self._hurry = asyncio.Event()
        #: in one sentence why lines cannot be stored at present; empty when they can
        self.trouble = ""

    async def enter(self, network: str, channel: str) -> None:
        """Begin a channel's memory, anew after a time away; called before JOIN is sent, so no later
        line can already be stored.
        """
        known = self._channel(network, channel)
        async with known.turn:
            try:
                async with asyncio.timeout(ENTER_WITHIN_S):
                    # What was heard before the time away must not be taken for what comes now.
                    await self._store_waiting(known)
                    async with self._store.reading() as unit:
                        last = await record.last_id(unit, network, channel)
            except (StorageError, TimeoutError) as error:
                # Lines must be heard all the same; alignment with what is remembered sorts them
                # out later.
                self._log.warning("record.unreadable", channel=channel, error=str(error))
            else:
                known.begin(last, self._clock())

    def _channel(self, network: str, channel: str) -> Channel:
        known = self._channels.get((network, channel))
        if known is None:
            now = self._clock()
            known = Channel(network, channel, 0, now - timedelta(seconds=SLACK_S), Stay(now))
            self._channels[network, channel] = known
        return known

    def heard(self, line: NewLine) -> None:
        """Remember one line of a channel; it will be stored by the listener, or by us after the
        grace.
        """
        channel = self._channel(line.network, line.channel)
        # The others count on the listener; what dies with it must not be lost.
        written = channel.lease is not None
        if written:
            self._journalled(partial(self._journal.add, line))
        if line.heard_at < channel.since:
            # The clock was set back: new lines must not lie before the memory's beginning.
            channel.since = line.heard_at - timedelta(seconds=SLACK_S)
            channel.joined(line.heard_at)
        if line.kind == LineKind.JOIN and line.agent == self._agent:
            channel.joined(line.heard_at)
        channel.memory.append(Remembered(line, written=written))
        LINES_HEARD.inc()
        if line.owed:
            self._hurry.set()
        self._work.set()

    def heard_in_private(self, line: NewLine) -> None:
        """Take a line that no other socket has read; `line.msgid` tells it from every other."""
        self._journalled(partial(self._journal.add, line))
        self._private.append(line)
        self._hurry.set()
        self._work.set()

    def cut_off(self, network: str, channels: Iterable[str], lag_s: float = 0.0) -> None:
        """We sit in these no more, maybe since `lag_s` ago: what others hear there from now on, we
        do not.
        """
        now = self._clock() - timedelta(seconds=lag_s)
        for name in channels:
            if (network, name) in self._channels:
                self._channels[network, name].left(now)

    def leave(self, network: str, channels: Iterable[str]) -> None:
        """These are gone (a thread that was archived): nothing is kept of them but the record; a
        lease that is not renewed runs out.
        """
        for name in channels:
            known = self._channels.get((network, name))
            if known is not None and not known.waiting() and not known.volunteering.locked():
                del self._channels[network, name]

    def listens(self, network: str, channel: str) -> bool:
        """True while this agent is the channel's listener, as far as it knows."""
        known = self._channels.get((network, channel))
        return (
            known is not None and known.lease is not None and known.lease.expires_at > self._clock()
        )

    async def run(self) -> None:
        """Store what is heard, as listener at once, else after the grace; renew and take over
        leases.
        """
        renew_at = 0.0
        loop = asyncio.get_running_loop()
        left = self._journal.left()
        restoring = asyncio.create_task(self._restore(left))
        restoring.add_done_callback(lambda _: self._work.set())
        while True:
            await self._wait_for_work(self._idle_s(renew_at - loop.time()))
            try:
                if loop.time() >= renew_at:
                    await self._leasing.renew(self._channels.values())
                    renew_at = loop.time() + RENEW_S
                await self._store_private()
                for channel in list(self._channels.values()):
                    async with channel.turn:
                        await self._attend(channel)
                if restoring.done():
                    # What could not be restored is not to be forgotten either.
                    restoring.result()
                    self._forget_written()
                self.trouble = ""
            except StorageError as error:
                self.trouble = str(error)
                self._log.warning("record.unwritable", error=str(error))
                await asyncio.sleep(0.5)

    def _idle_s(self, renew_in_s: float) -> float | None:
        """How long it may wait for something to be heard; None: for ever."""
        channels = self._channels.values()
        renew_in_s = max(renew_in_s, 0)
        if any(c.waiting() for c in channels):
            return min(renew_in_s, GRACE_S / 2)
        # Who listens for others renews, who remembers forgets, who failed tries again.
        is_needed = self.trouble or any(c.lease is not None or c.memory for c in channels)
        return renew_in_s if is_needed else None

    async def _wait_for_work(self, most_s: float | None) -> None:
        try:
            async with asyncio.timeout(most_s):
                await self._work.wait()
        except TimeoutError:
            return
        self._work.clear()
        # What arrives together is stored together; an owed answer does not wait for company, also
        # where it comes while others wait.
        self._hurry.clear()
        if not self._private and not self._owes_soon():
            with suppress(TimeoutError):
                async with asyncio.timeout(BATCH_S):
                    await self._hurry.wait()

    def _owes_soon(self) -> bool:
        return any(
            r.line.owed for c in self._channels.values() if c.lease is not None for r in c.waiting()
        )

    async def volunteer(self, network: str, channel: str) -> None:
        """Become the channel's listener if nobody is. Raises `StorageError`."""
        await self._leasing.volunteer(self._channel(network, channel))

    def _taken(self, channel: Channel, last: int, adopted: int) -> None:
        self._journalled(partial(self._journal.mark, channel.session, last))
        epoch = channel.lease.epoch if channel.lease is not None else 0
        # From now on there is something to renew.
        self._work.set()
        self._log.info("listener.taken", channel=channel.name, epoch=epoch, adopted=adopted)
        self._on_taken(channel.network, channel.name)
        if adopted:
            self._on_owed([self._agent])

    async def _restore(self, left: Left) -> None:
        """Store what a dead predecessor had read and not stored."""
        if not left.lines:
            return
        await insist(self._store, lambda unit: store_left(unit, left), self._log)
        self._log.info("journal.restored", lines=len(left.lines))
        self._on_owed({o.agent for line in left.lines for o in line.owed})

    async def _store_private(self) -> None:
        lines = list(self._private)
        if not lines:
            return

        async def kept(unit: Unit) -> None:
            for line in lines:
                await record.keep_new(unit, line)

        await self._store.write(kept)
        del self._private[: len(lines)]
        self._on_owed([self._agent])

    def _journalled(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            # A full disk: the line is in memory still, only kill -9 could take it now.
            self._log.warning("journal.unwritable", error=str(error))

    def _forget_written(self) -> None:
        """Begin the journal anew once the store has everything that may stand in it."""
        channels = list(self._channels.values())
        if (
            self._journal.is_empty
            or self._private
            or any(r.written for c in channels for r in c.waiting())
        ):
            return
        listened = [c for c in channels if c.lease is not None]
        # Where we stored nothing yet, a stored line may lie before the newest one that we know and
        # be heard only later: there the whole memory stays written down, after an older mark.
        young = [c for c in listened if c.last_own_id is None]
        marks = {c.session: c.after_id if c in young else c.newest() for c in listened}
        kept = [r.line for c in young for r in c.memory]
        self._journalled(partial(self._journal.start_anew, marks, kept))

    async def _attend(self, channel: Channel) -> None:
        now = self._clock()
        if channel.lease is not None and channel.lease.expires_at <= now:
            channel.lease = None
        if channel.lease is None and channel.overdue(now) and await self._behind(channel):
            await self._leasing.volunteer(channel)
            # Without the lease only what the listener had its time for: it may be at the rest.
            until = None if channel.lease else now - timedelta(seconds=GRACE_S)
            await self._store_waiting(channel, until)
        elif channel.lease is not None:
            await self._store_waiting(channel)
        channel.forget(now)

    async def _behind(self, channel: Channel) -> bool:
        """Look what the listener stored; True when something we heard is still missing after the
        grace.
        """
        # More may be heard while the store is asked.
        remembered = list(channel.memory)
        async with self._store.reading() as unit:
            ids = await keeping.stored(unit, channel, remembered)
        for one, stored_id in zip(remembered, ids, strict=True):
            one.stored_id = stored_id
        channel.settled = 0
        return channel.overdue(self._clock())

    async def _store_waiting(self, channel: Channel, until: datetime | None = None) -> None:
        """Store what is not stored yet, and was heard no later than `until`."""
        while waiting := channel.waiting_until(until)[:_BATCH_LINES]:
            window, kept, complete = await self._store.write(
                partial(keeping.kept, channel=channel, waiting=waiting, until=until)
            )
            ids = [stored_id for stored_id in kept.ids if stored_id is not None]
            channel.settled = 0
            owed: set[str] = set()
            for remembered, stored_id, new in zip(window, kept.ids, kept.new, strict=True):
                remembered.stored_id = stored_id
                if new:
                    owed.update(o.agent for o in remembered.line.owed)
                    LINES_STORED.inc()
            channel.last_own_id = max(ids) if complete else None
            if owed:
                self._on_owed(owed)
