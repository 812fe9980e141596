"""What people decided, told to the agent that waits for it: as work, so it goes on by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

from structlog.typing import FilteringBoundLogger

from bots.control.request_words import called, ending_of
from bots.delegating.desk import DelegationDesk
from bots.delegating.order import Killed, NotGiven, Order
from bots.messages import Place, Target
from bots.people.turn import DELEGATION
from bots.rounds import HALTED_S, Rounds
from storage import delegations, requests
from storage.core import DELEGATION as DELEGATIONS
from storage.delegation_tables import Delegation, DelegationState
from storage.latch import Latch
from storage.request import Decision, Request
from storage.tables import RequestState
from storage.unit import Unit

_LOOK_EVERY_S: Final = 10.0
#: who looks by itself has so much longer to note that it has seen the answer
_GRACE: Final = timedelta(seconds=5)
_QUOTED: Final = 500


class Telling:
    """`run` until cancelled, in the captain's process alone; `nudge` when something was decided."""

    def __init__(
        self,
        giving: DelegationDesk,
        *,
        latch: Callable[[], Latch | None],
        changed: Callable[[], None],
        log: FilteringBoundLogger,
    ) -> None:
        """`changed` is called when a request is another one than before."""
        self._giving = giving
        self._latch = latch
        self._changed = changed
        self._log = log
        self._rounds = Rounds(_LOOK_EVERY_S, log, "answers.untold")

    def nudge(self) -> None:
        """Look now."""
        self._rounds.nudge()

    async def run(self) -> None:
        """Tell whoever waits, and take back what nobody waits for any more."""
        await self._rounds.run(self.look)

    async def look(self) -> float:
        """One round; the seconds until the next one. Raises `StorageError`."""
        if self._latch() is not None:
            return HALTED_S
        useless, untold = await self._giving.store.read(self._open)
        for request in useless:
            await self._take_back(request)
        now = self._giving.clock()
        moments = {r.id: r.awaited_until + _GRACE for r in untold if r.awaited_until is not None}
        for request in untold:
            if moments.get(request.id, now) <= now:
                await self._tell(request)
        return self._rounds.until(moments.values(), now)

    async def _open(self, unit: Unit) -> tuple[list[Request], list[Request]]:
        """What was asked for work that was cancelled since, and what nobody was told of."""
        captain = self._giving.agent
        pending = await requests.pending(unit, captain)
        works = {r.reference.removeprefix(DELEGATION) for r in pending if _is_for_work(r)}
        cancelled: set[str] = set()
        if works:
            c = DELEGATIONS.c
            which = c.code.in_(works) & (c.state == str(DelegationState.CANCELLED))
            cancelled = {d.code for d in await delegations.many(unit, which)}
        useless = [r for r in pending if r.reference.removeprefix(DELEGATION) in cancelled]
        return useless, await requests.untold(unit, captain)

    async def _tell(self, request: Request) -> None:
        store = self._giving.store
        waiting = await store.read(partial(_work_of, request))
        try:
            given = await self._given(order_of(request, waiting))
        except Killed as error:
            self._log.info("answer.waits", code=request.code, why=str(error))
            return
        except NotGiven as error:
            self._log.warning("answer.untold", code=request.code, why=str(error))
        else:
            self._log.info("answer.told", code=request.code, delegation=given.code)
        # Given before it is noted: told twice under one key is told once.
        await store.write(lambda unit: requests.note_told(unit, request.id, request.state))

    async def _given(self, order: Order) -> Delegation:
        try:
            return await self._giving.give(order)
        except Killed:
            raise
        except NotGiven:
            if not order.deliver_to:
                raise
            # Where it was asked nobody can speak any more: the agent goes on all the same.
            return await self._giving.give(replace(order, deliver_to=""))

    async def _take_back(self, request: Request) -> None:
        work = request.reference.removeprefix(DELEGATION)
        no = Decision(approved=False, by="the swarm", note=f"{work} was cancelled")

        async def take_back(unit: Unit) -> bool:
            done = await requests.decide(unit, request.id, no, self._giving.clock())
            if done is not None:
                await requests.note_told(unit, request.id, RequestState.REJECTED)
            return done is not None

        if await self._giving.store.write(take_back):
            self._changed()


async def _work_of(request: Request, unit: Unit) -> Delegation | None:
    """The delegation that waits for it, if one does."""
    if not _is_for_work(request):
        return None
    return await delegations.by_code(unit, request.reference.removeprefix(DELEGATION))


def _is_for_work(request: Request) -> bool:
    return request.reference.startswith(DELEGATION)


def order_of(request: Request, waiting: Delegation | None) -> Order:
    """What the waiter is given: the answer, bound to where the question came from."""
    network, channel, deliver_to, about = "", "", "", ""
    if waiting is not None:
        network, channel, deliver_to = waiting.network, waiting.channel, waiting.deliver_to
        about = f"It was for {waiting.code}: {waiting.instruction[:_QUOTED]}"
    elif request.reference and not _is_for_work(request):
        # What was said somewhere is bound to the place.
        place = Target.parse(request.reference)
        network = place.network
        channel = f"nick:{place.name}" if place.is_private else place.key
        # A nick on IRC may be somebody else's by now.
        deliver_to = "" if place.place is Place.NICK else request.reference
        about = f"You asked for it in {'private' if place.is_private else request.reference}."
    words = (
        f"People have answered what you asked for ({called(request.kind)}: {request.title}). "
        f"{ending_of(request)} {about}\nGo on with what waited for it."
    )
    return Order(
        to=request.waiter,
        instruction=words,
        asked_by=f"request:{request.code}",
        deliver_to=deliver_to,
        may_name_place=False,
        idempotency_key=f"{request.code}:{request.state}",
        network=network,
        channel=channel,
        trace_id=request.trace_id,
    )
