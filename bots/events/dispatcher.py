"""Tells people and channels of what they want to know: in batches, not at night, not too often.

One a swarm, in the captain's process; a second one does no harm. What was begun when a process died
is told by its reply rows, see `storage.deliveries`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from structlog.typing import FilteringBoundLogger

from bots.answering.mouth import Mouth, Unsaid
from bots.events import wording
from bots.events.quiet import QuietHours
from bots.hooks.rate import RateLimit
from bots.messages import Outgoing, Target, TargetError
from bots.rounds import Rounds
from brain.errors import Refused
from brain.guard import UNRECORDED
from storage import deliveries, events
from storage.deliveries import Notice, Waiting
from storage.errors import LeaseLost, StorageError
from storage.latch import Latch
from storage.unit import Unit

_LOOK_EVERY_S: Final = 3.0
#: what a receiver is told in any minute: a full bucket, and what flows back in that minute
PER_MINUTE: Final = 100
_BURST: Final = 20
#: what could not be said for want of a connection is tried again after this long
_AGAIN_S: Final = 20.0
#: receivers that are told at a time
_AT_ONCE: Final = 8
#: a refusal that another moment may lift
_PASSING: Final = frozenset({"latch", UNRECORDED})


def event_rate() -> RateLimit:
    """How many events each receiver may be told: at most `PER_MINUTE` in any minute."""
    return RateLimit(per_minute=PER_MINUTE - _BURST, burst=_BURST)


@dataclass
class Dispatcher:
    """`run` until cancelled."""

    mouth: Mouth
    epoch: int
    #: as far from a person as a line can be: no agent answers it
    hops: int
    latch: Callable[[], Latch | None]
    redact: Callable[[str], str]
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    log: FilteringBoundLogger
    #: events a receiver
    _rate: RateLimit = field(default_factory=event_rate, init=False)
    #: batches that this very process is saying
    _busy: set[str] = field(default_factory=set, init=False)
    #: receiver → when what could not be said is tried again
    _not_before_s: dict[str, float] = field(default_factory=dict, init=False)
    _rounds: Rounds = field(init=False)

    def __post_init__(self) -> None:
        self._rounds = Rounds(_LOOK_EVERY_S, self.log, "events.unreadable")

    def nudge(self) -> None:
        """Something happened: look soon."""
        self._rounds.nudge()

    async def run(self) -> None:
        """Look whenever it is nudged, and every few seconds besides."""
        await self._rounds.run(self.look)

    async def look(self) -> None:
        """Hand out what happened, and tell who is to be told now. Raises `StorageError`."""
        store = self.mouth.store
        is_new, begun, waiting = await store.read(self._open)
        while is_new:
            await store.write(lambda unit: events.hand_out(unit, self.clock()))
            is_new, begun, waiting = await store.read(self._open)
        if self.latch() is not None or not self.mouth.may_begin():
            return
        if begun - self._busy:
            await self._settle()
            _, _, waiting = await store.read(self._open)
        now = self.clock()
        due: dict[str, list[Waiting]] = {}
        for one in waiting:
            if is_due(one, now):
                due.setdefault(one.subscription.receiver, []).append(one)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def told(receiver: str, wanted: Sequence[Waiting]) -> None:
            async with gate:
                try:
                    await self._tell(receiver, wanted)
                except StorageError as error:
                    self._rest(receiver, str(error))

        await asyncio.gather(*(told(*one) for one in due.items()))

    async def _open(self, unit: Unit) -> tuple[bool, set[str], list[Waiting]]:
        """Whether something is not handed out yet, the batches that are being said, and what is to
        be said.
        """
        return (
            await events.is_waiting(unit),
            set(await deliveries.saying(unit)),
            await deliveries.waiting(unit, self.clock()),
        )

    async def _settle(self) -> None:
        """What was begun by who died, or could not be written down to its end."""

        async def work(unit: Unit) -> int:
            return await deliveries.settle(unit, self.clock(), busy=self._busy)

        await self.mouth.store.write(work)

    async def _tell(self, receiver: str, wanted: Sequence[Waiting]) -> None:
        """One batch for one receiver; what does not fit waits for the next look."""
        address = wanted[-1].subscription.address
        if not self._may_tell(receiver, wanted):
            return
        ids = [one.subscription.id or 0 for one in wanted]
        room = self._room(receiver, min(wording.MOST, sum(one.count for one in wanted)))
        if not room:
            return
        notices = await self.mouth.store.read(lambda unit: deliveries.to_say(unit, ids, room))
        if not notices:
            return
        left = sum(one.count for one in wanted) - len(notices)
        try:
            await self._say(address, notices, left)
        except LeaseLost as error:
            self.log.info("events.overtaken", receiver=receiver, why=str(error))
        except Unsaid as error:
            self._rest(receiver, str(error))
        except Refused as error:
            self._rest(receiver, str(error))
            if error.policy not in _PASSING:
                await self._fail(notices, str(error))

    def _rest(self, receiver: str, why: str) -> None:
        self._not_before_s[receiver] = self.monotonic() + _AGAIN_S
        self.log.info("events.wait", receiver=receiver, why=why)

    def _may_tell(self, receiver: str, wanted: Sequence[Waiting]) -> bool:
        """Not while it rests, and not into a network that is away."""
        if self.monotonic() < self._not_before_s.get(receiver, 0.0):
            return False
        self._not_before_s.pop(receiver, None)
        transport = self.mouth.transports.get(wanted[-1].subscription.address.partition(":")[0])
        return transport is None or transport.health.connected

    def _room(self, receiver: str, most: int) -> int:
        """How many events may be told now."""
        room = 0
        while room < most and not self._rate.take(receiver, self.monotonic()).wait_s:
            room += 1
        return room

    async def _say(self, address: str, notices: Sequence[Notice], left: int) -> None:
        try:
            target = Target.parse(address)
        except TargetError as error:
            raise Refused(str(error), policy="network") from error
        if target.network not in self.mouth.transports:
            raise Refused(f"{self.mouth.agent} is not on {target.network}", policy="network")
        batch = secrets.token_hex(8)
        outgoing = Outgoing(
            target=target,
            text=self.redact(wording.batch(notices, left)),
            hops=self.hops,
            trace_id=batch,
        )

        async def begun(unit: Unit, replies: list[int]) -> None:
            await deliveries.begin(unit, notices, batch, replies, self.clock())

        self._busy.add(batch)
        try:
            why = f"tells {len(notices)} events to who subscribed to them"
            await self.mouth.say(outgoing, epoch=self.epoch, why=why, begun=begun)
        finally:
            self._busy.discard(batch)
        await self._settle()

    async def _fail(self, notices: Sequence[Notice], why: str) -> None:
        await self.mouth.store.write(lambda unit: deliveries.fail(unit, notices, why, self.clock()))


def is_due(waiting: Waiting, now: datetime) -> bool:
    """Whether the first of these has waited long enough for company, and may be told now."""
    wish = waiting.subscription
    quiet = QuietHours.of_row(wish.quiet_from, wish.quiet_until, wish.zone)
    if quiet is not None and quiet.holds(now):
        return False
    return now - waiting.since >= timedelta(seconds=wish.batch_s)
