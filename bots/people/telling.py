"""What people decided, told to the agent that waits for it: as work, so it goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
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
from storage import delegations, requests
from storage.delegation_tables import Delegation, DelegationState
from storage.errors import StorageError
from storage.latch import Latch
from storage.request import Decision, Request
from storage.tables import RequestState
from storage.unit import Unit

_LOOK_EVERY_S: Final = 5.0
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
        self._wake = asyncio.Event()

    def nudge(self) -> None:
        """Look now."""
        self._wake.set()

    async def run(self) -> None:
        """Tell whoever waits, and take back what nobody waits for any more."""
        while True:
            self._wake.clear()
            try:
                if self._latch() is None:
                    await self.look()
            except StorageError as error:
                self._log.warning("answers.untold", error=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._wake.wait()

    async def look(self) -> None:
        """One round. Raises `StorageError`."""
        await self._withdraw()
        captain, now = self._giving.agent, self._giving.clock()
        for request in await self._giving.store.read(lambda unit: requests.untold(unit, captain)):
            looked_for = request.awaited_until
            if looked_for is None or now >= looked_for + _GRACE:
                await self._tell(request)

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

    async def _withdraw(self) -> None:
        """What was asked for work that was cancelled is of no use any more."""
        captain = self._giving.agent
        store = self._giving.store
        pending = await store.read(lambda unit: requests.pending(unit, captain))
        for request in pending:
            if not request.reference.startswith(DELEGATION):
                continue
            waiting = await store.read(partial(_work_of, request))
            if waiting is not None and waiting.state == DelegationState.CANCELLED:
                await self._take_back(request, waiting)

    async def _take_back(self, request: Request, waiting: Delegation) -> None:
        no = Decision(approved=False, by="the swarm", note=f"{waiting.code} was cancelled")

        async def take_back(unit: Unit) -> bool:
            done = await requests.decide(unit, request.id, no, self._giving.clock())
            if done is not None:
                await requests.note_told(unit, request.id, RequestState.REJECTED)
            return done is not None

        if await self._giving.store.write(take_back):
            self._changed()


async def _work_of(request: Request, unit: Unit) -> Delegation | None:
    """The delegation that waits for it, if one does."""
    if not request.reference.startswith(DELEGATION):
        return None
    return await delegations.by_code(unit, request.reference.removeprefix(DELEGATION))


def order_of(request: Request, waiting: Delegation | None) -> Order:
    """What the waiter is given: the answer, bound to where the question came from."""
    network, channel, deliver_to, about = "", "", "", ""
    if waiting is not None:
        network, channel, deliver_to = waiting.network, waiting.channel, waiting.deliver_to
        about = f"It was for {waiting.code}: {waiting.instruction[:_QUOTED]}"
    elif request.reference and not request.reference.startswith(DELEGATION):
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
