"""One agent's hands: takes up what was delegated to it, ahead of chat, and brings it to one end.

What is claimed is beaten for while it is worked on; what is ours no more (cancelled, expired, taken
over) is stopped at the next look, which a nudge brings at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from structlog.typing import FilteringBoundLogger

from bots.delegating.carrying import Carrying
from bots.delegating.delivering import Delivering
from bots.delegating.desk import DelegationDesk
from bots.delegating.ending import Ending
from bots.delegating.rerouting import Rerouting
from bots.insist import insist
from bots.keys.holding import NoKey
from storage import delegating, delegation_looks, delegations
from storage.delegating import SILENCE, Outcome
from storage.delegation_looks import Seen, Standing
from storage.delegation_tables import Delegation, DelegationState
from storage.errors import StorageError
from storage.unit import Unit

#: a lost nudge costs at most this
LOOK_EVERY_S: Final = 5.0
#: who has nothing in hand has nothing that somebody else could end
_IDLE_LOOK_S: Final = 10.0
#: who was given work has time to take it; a nudge brings nothing new here
_REROUTE_EVERY: Final = timedelta(seconds=10)
_BEAT_EVERY_S: Final = 20.0
_LET_GO_WITHIN_S: Final = 1.0
#: delegations that are worked on at a time; those that wait for others of their own do not count
_AT_ONCE: Final = 4
_PAGE: Final = 16


@dataclass
class _Hand:
    """What one task has in hand."""

    held: Delegation
    task: asyncio.Task[None]
    is_waiting: bool = False
    #: what came of it is being written down
    is_ending: bool = False
    #: why somebody else ended it; empty: nobody did
    stopped: str = ""


@dataclass
class Worker:
    """`run` while the process lives; `nudge` when something may have changed."""

    agent: str
    epoch: int
    desk: DelegationDesk
    carrying: Carrying
    delivering: Delivering
    rerouting: Rerouting
    log: FilteringBoundLogger
    #: why nothing may be begun now (killed); empty when it may
    halted: Callable[[], str]
    _nudged: asyncio.Event = field(default_factory=asyncio.Event)
    _hands: dict[int, _Hand] = field(default_factory=dict)
    _telling: set[asyncio.Task[None]] = field(default_factory=set)
    #: at the last look there may have been work for more places than were free
    _is_more: bool = False
    _rerouted_at: datetime | None = None
    _ending: Ending = field(init=False)

    def __post_init__(self) -> None:
        self._ending = Ending(self.desk, self.carrying, self.log)

    @property
    def busy(self) -> int:
        """Delegations being worked on."""
        return len(self._hands)

    def nudge(self) -> None:
        self._nudged.set()

    def stop_all(self, why: str) -> None:
        """End all work at once; what was in hand fails with this reason."""
        for hand in self._hands.values():
            hand.stopped = why
            hand.task.cancel()

    async def run(self) -> None:
        """Until cancelled; what is in hand then goes back, if nothing of it was done."""
        beating = asyncio.create_task(self._beat())
        try:
            await self._inherit()
            while True:
                self._nudged.clear()
                await self._look()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S if self._hands else _IDLE_LOOK_S):
                        await self._nudged.wait()
        finally:
            await self._let_go(beating)

    async def _let_go(self, beating: asyncio.Task[None]) -> None:
        hands = (hand.task for hand in self._hands.values())
        tasks = [beating, *self.delivering.saying, *hands]
        for task in tasks:
            task.cancel()
        with suppress(TimeoutError):
            # What the store does not take now, the next process finds.
            async with asyncio.timeout(_LET_GO_WITHIN_S):
                await asyncio.gather(*tasks, return_exceptions=True)
                await asyncio.gather(*self._telling, return_exceptions=True)

    async def _inherit(self) -> None:
        """What an older process of this agent had in hand."""

        async def reclaim(unit: Unit) -> list[Delegation]:
            now = self.desk.clock()
            return await delegating.reclaim(unit, now, SILENCE, of=(self.agent, self.epoch))

        for ended in await insist(self.desk.store, reclaim, self.log):
            self.log.info("delegation.inherited", code=ended.code, state=ended.state)
            self._ending.announce(ended, is_over=ended.state not in delegations.OPEN)

    async def _look(self) -> None:
        try:
            seen = await self._seen()
            self._drop_lost(seen.standing)
            if await self._take_up(seen.waiting) and self._may_take_more(seen):
                self.nudge()
            # No work and no cancel waits for a slow network.
            self.delivering.begin(seen.owed, self.desk.bells)
            if seen.is_routed:
                await self.rerouting.look()
        except (StorageError, NoKey) as error:
            self.log.warning("delegations.unreadable", error=str(error))

    async def _seen(self) -> Seen:
        free = self._free()
        look = partial(
            delegation_looks.look,
            agent=self.agent,
            held=list(self._hands),
            now=self.desk.clock(),
            limit=free,
            # What is only passed on takes no place: nobody may wait for one that waits for him.
            page=_PAGE,
            # What is being said is not to be begun again.
            owed=not self.delivering.is_busy,
            routed=self._may_reroute(),
        )
        seen = await self.desk.store.read(look)
        # Without a free place nobody has asked what waits for one.
        self._is_more = seen.is_more or not free
        return seen

    def _free(self) -> int:
        # Who has just come back from waiting for others may be one too many.
        return max(0, _AT_ONCE - sum(not hand.is_waiting for hand in self._hands.values()))

    def _may_take_more(self, seen: Seen) -> bool:
        """What was taken of it has left places free, or was all that one page has."""
        return seen.is_more and (self._free() > 0 or len(seen.waiting) >= _PAGE)

    def _may_reroute(self) -> bool:
        now = self.desk.clock()
        if self._rerouted_at is not None and abs(now - self._rerouted_at) < _REROUTE_EVERY:
            return False
        self._rerouted_at = now
        return True

    def _drop_lost(self, standing: Mapping[int, Standing]) -> None:
        """Stop what is not ours any more."""
        for one, hand in list(self._hands.items()):
            if hand.is_ending:
                continue
            now = standing.get(one)
            if now is None or not now.is_held(hand.held.claim):
                hand.stopped = now.error if now is not None else "it is gone"
                hand.task.cancel()

    async def _take_up(self, waiting: Sequence[int]) -> bool:
        """Begin these; whether any was there still."""
        if not waiting:
            return False
        now = self.desk.clock()

        async def claim(unit: Unit) -> tuple[list[Delegation], list[Delegation]]:
            taken, refused = [], []
            for one in waiting:
                held = await delegating.claim(unit, one, self.agent, self.epoch, now)
                if held is None:
                    continue
                why = self.halted() or await self.carrying.objection(unit, held, now)
                if why:
                    outcome = Outcome(state=DelegationState.FAILED, error=f"refused: {why}")
                    await delegating.finish(unit, held, outcome, now)
                    refused.append(held)
                else:
                    taken.append(held)
            return taken, refused

        taken, refused = await self.desk.store.write(claim)
        for held in refused:
            self.log.warning("delegation.refused", code=held.code, trace_id=held.trace_id)
            self._ending.announce(held, is_over=True)
        for held in taken:
            self._begin(held)
        return bool(taken or refused)

    def _begin(self, held: Delegation) -> None:
        task = asyncio.create_task(self._work(held))
        hand = self._hands[held.id or 0] = _Hand(held, task, is_waiting=bool(held.passed_to))
        hand.task.add_done_callback(lambda _: self._ended(held, hand))

    def _ended(self, held: Delegation, hand: _Hand) -> None:
        self._hands.pop(held.id or 0, None)
        if hand.task.cancelled():
            # Stopped before or while it worked: what becomes of the row is written aside.
            telling = asyncio.create_task(self._ending.stop(held, hand.stopped))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)
        if self._is_more:
            self.nudge()

    async def _work(self, held: Delegation) -> None:
        left = (held.expires_at - self.desk.clock()).total_seconds()
        hand = self._hands[held.id or 0]

        def wait_aside(is_waiting: bool) -> None:  # noqa: FBT001 - a callback with one word
            hand.is_waiting = is_waiting
            self.nudge()

        try:
            async with asyncio.timeout(max(left, 0)):
                outcome, retry_s = await self.carrying.carry(held, wait_aside)
        except TimeoutError:
            outcome, retry_s = Outcome(state=DelegationState.EXPIRED, error="out of time"), None
        except Exception as error:  # the outermost frame of one piece of work
            self.log.warning("delegation.broke", code=held.code, exc_info=error)
            outcome, retry_s = self.carrying.broken(held, error)
        hand.is_ending = True
        ended = await self._ending.settle(held, outcome, retry_s)
        if ended is None and retry_s is not None:
            asyncio.get_running_loop().call_later(retry_s, self.nudge)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_BEAT_EVERY_S)
            try:
                await self._beat_once()
            except StorageError as error:
                self.log.warning("delegations.unbeaten", error=str(error))

    async def _beat_once(self) -> None:
        held, now = [hand.held for hand in self._hands.values()], self.desk.clock()
        if not held:
            return
        ours = await self.desk.store.write(lambda unit: delegating.beat(unit, held, now))
        if len(ours) != len(held):
            # Somebody else ended it: the next look finds which, and stops it.
            self.nudge()
