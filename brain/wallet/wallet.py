"""The wallet of one agent's process: no call of a model without its money set aside.

What is set aside is the most that the call can cost; the bill takes its place. Whatever goes wrong
in between counts as spent rather than as free: a process that dies leaves its reservations to
`Wallet.recover` of the next one, and a bill that the store would not take is booked later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

from structlog.typing import FilteringBoundLogger

from brain.errors import OverBudget
from brain.model import Conversation, Occasion, Usage
from brain.models.provider import ModelSpec
from brain.wallet import bound
from brain.wallet.budgets import Budget, NearlySpent, Window
from brain.wallet.prices import Prices
from brain.wallet.refusals import busy, crossing
from brain.wallet.tariff import Tariff
from storage import spending
from storage.core import one_at_a_time
from storage.errors import StorageError
from storage.spending import Bill, Call, Ceiling, Crossing, KeyLimit, KeysBusy, Reserved, Slice
from storage.store import Store
from storage.unit import Unit

T = TypeVar("T")

#: OpenAI's smallest limit of output; who asks for less gets this
_LEAST_OUTPUT: Final = 16
_KEYLESS: Final = (KeyLimit(name=""),)


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What a call may cost at most, and by which tariff it will be billed."""

    nusd: int
    tariff: Tariff


@dataclass(frozen=True, kw_only=True)
class Reservation:
    id: int
    occasion: Occasion
    #: name of the model in swarm.toml
    model: str
    #: reference of the key to use, empty where none is needed
    key: str
    quote: Quote
    at: datetime


@dataclass(frozen=True, kw_only=True)
class _Closing:
    """What came of a reservation; without a bill it is given back."""

    reservation: Reservation
    bill: Bill | None


class Wallet:
    """`budgets` are those that the agent's calls count in, `epoch` is its process's; `clock` gives
    aware UTC. `warn` is told of a budget of which 80 % are spent, once in its window.
    """

    def __init__(
        self,
        store: Store,
        budgets: Sequence[Budget],
        prices: Prices,
        *,
        clock: Callable[[], datetime],
        epoch: int,
        log: FilteringBoundLogger,
        warn: Callable[[NearlySpent], object],
    ) -> None:
        self._store = store
        self._budgets = tuple(budgets)
        self._prices = prices
        self._clock = clock
        self._epoch = epoch
        self._log = log
        self._warn = warn
        self._warned_at: dict[Budget, datetime] = {}
        #: what the store would not take yet
        self._owed: list[_Closing] = []
        self._at_work: set[asyncio.Task[Any]] = set()

    def quote(self, spec: ModelSpec, conversation: Conversation) -> Quote:
        """The most that the call can cost; raises `PriceUnknown`."""
        tariff = self._prices.tariff_of(spec, self._clock())
        output = max(conversation.max_output_tokens or spec.max_output_tokens, _LEAST_OUTPUT)
        return Quote(nusd=tariff.most_nusd(bound.input_tokens(conversation), output), tariff=tariff)

    async def reserve(
        self,
        occasion: Occasion,
        spec: ModelSpec,
        quote: Quote,
        keys: Sequence[KeyLimit] = _KEYLESS,
    ) -> Reservation:
        """Set aside what the call may cost, for the first of `keys` that is free.

        Raises `OverBudget` when that could cross a budget, `RateLimited` when no key is free, and
        `StorageError`: what cannot be booked is not bought. Who is cancelled has reserved nothing.
        """
        await self._book_owed()
        asking = self._begin(self._reserve(occasion, spec, quote, keys))
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(self._give_back_late)
            raise

    async def settle(self, reservation: Reservation, usage: Usage) -> int:
        """Book the bill and give it, in nusd. It is booked even when the caller is cancelled."""
        cost = reservation.quote.tariff.cost_nusd(usage)
        if cost > reservation.quote.nusd:
            self._log.warning(
                "wallet.above_reservation",
                model=reservation.model,
                cost_nusd=cost,
                reserved_nusd=reservation.quote.nusd,
                trace_id=reservation.occasion.trace_id,
            )
        bill = Bill(
            nusd=cost,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )
        await asyncio.shield(self._begin_to_book(_Closing(reservation=reservation, bill=bill)))
        return cost

    def forfeit(self, reservation: Reservation) -> None:
        """Book all that was reserved, for something may have been billed and nobody says how much.
        Returns at once.
        """
        bill = Bill(nusd=reservation.quote.nusd)
        self._begin_to_book(_Closing(reservation=reservation, bill=bill))

    async def refund(self, reservation: Reservation) -> None:
        """Give the reserved sum back, for nothing was billed."""
        await asyncio.shield(self._begin_to_book(_Closing(reservation=reservation, bill=None)))

    def give_back(self, reservation: Reservation) -> None:
        """As `refund`, for a request that will never leave. Returns at once."""
        self._begin_to_book(_Closing(reservation=reservation, bill=None))

    async def recover(self, agent: str) -> int:
        """Book in full what the agent's dead processes had reserved; how many calls those were.
        Raises `StorageError`.
        """
        recover = partial(spending.abandoned, agent=agent, epoch=self._epoch, now=self._clock())
        calls = await self._store.write(recover)
        if calls:
            self._log.warning("wallet.abandoned", calls=calls)
        return calls

    async def close(self) -> None:
        """Wait until everything that was begun is booked."""
        while self._at_work:
            await asyncio.wait(self._at_work)
        await self._book_owed()

    # --- before the call --------------------------------------------------------------------------

    async def _reserve(
        self, occasion: Occasion, spec: ModelSpec, quote: Quote, keys: Sequence[KeyLimit]
    ) -> Reservation:
        now = self._clock()
        call = Call(
            agent=occasion.agent,
            model=spec.name,
            provider_model=spec.model,
            session=occasion.session,
            task=occasion.task,
            reserved_nusd=quote.nusd,
            at=now,
            epoch=self._epoch,
            trace_id=occasion.trace_id,
        )
        ceilings = [Ceiling(slice=_slice(b, occasion, now), nusd=b.nusd) for b in self._budgets]
        found = await self._store.write(
            partial(spending.reserve, call=call, ceilings=ceilings, keys=keys)
        )
        if isinstance(found, Crossing):
            budget = self._budgets[ceilings.index(found.ceiling)]
            raise OverBudget(crossing(budget, found, costs_nusd=quote.nusd))
        if isinstance(found, KeysBusy):
            raise busy(spec, found.free_at - now)
        return _reservation(found, occasion, spec, quote, now)

    def _give_back_late(self, asked: asyncio.Task[Reservation]) -> None:
        """The one who asked was cancelled meanwhile."""
        if not asked.cancelled() and asked.exception() is None:
            self.give_back(asked.result())

    # --- after the call ---------------------------------------------------------------------------

    def _begin_to_book(self, closing: _Closing) -> asyncio.Task[None]:
        """In a task of its own: neither a cancelled caller nor a locked database loses it."""
        return self._begin(self._book(closing))

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)
        return task

    async def _book(self, closing: _Closing) -> None:
        try:
            nearly = await self._store.write(partial(self._booked, closing=closing))
        except StorageError as error:
            self._owe(closing, error)
            return
        except BaseException as error:
            # A bug, or the end of the process: no reason to lose a bill.
            self._owe(closing, error)
            raise
        for one in nearly:
            self._tell(one)

    def _owe(self, closing: _Closing, error: BaseException) -> None:
        self._owed.append(closing)
        self._log.warning(
            "wallet.owed",
            error=str(error) or type(error).__name__,
            spending=closing.reservation.id,
            trace_id=closing.reservation.occasion.trace_id,
        )

    async def _book_owed(self) -> None:
        """Each in a task of its own: who waits for them may be cancelled. What cannot be booked
        this time either is owed again, and keeps nobody from going on.
        """
        owed, self._owed = self._owed, []
        booking = asyncio.gather(*map(self._begin_to_book, owed), return_exceptions=True)
        await asyncio.shield(booking)

    async def _booked(self, unit: Unit, closing: _Closing) -> list[NearlySpent]:
        """Book it; the budgets that it brought to 80 %."""
        now, reservation, bill = self._clock(), closing.reservation, closing.bill
        if bill is None:
            await spending.refund(unit, reservation.id, now=now)
            return []
        # Of two bills that pass a mark together, one must see that it did.
        await one_at_a_time(unit, spending.WALLET)
        if not await spending.settle(unit, reservation.id, bill, now=now) or bill.nusd == 0:
            return []
        slices = [(b, _slice(b, reservation.occasion, now)) for b in self._budgets]
        counting = [(b, s) for b, s in slices if s.since is None or reservation.at >= s.since]
        sums = await spending.spent(unit, [one for _, one in counting])
        return [
            NearlySpent(budget=budget, spent_nusd=spent.settled_nusd)
            for (budget, _), spent in zip(counting, sums, strict=True)
            if budget.is_nearly_spent(spent.settled_nusd - bill.nusd, spent.settled_nusd)
        ]

    def _tell(self, nearly: NearlySpent) -> None:
        """Bills only add up within a day and a task, so their mark is passed once; an hour rolls,
        and its sum can pass the mark again.
        """
        now, budget = self._clock(), nearly.budget
        if budget.window is Window.HOUR:
            warned_at = self._warned_at.get(budget)
            if warned_at is not None and now - warned_at < timedelta(hours=1):
                return
            self._warned_at[budget] = now
        self._warn(nearly)


def _slice(budget: Budget, occasion: Occasion, now: datetime) -> Slice:
    return Slice(
        agent=None if budget.agent is None else occasion.agent,
        task=occasion.task if budget.window is Window.TASK else None,
        since=budget.window.begins(now),
    )


def _reservation(
    reserved: Reserved, occasion: Occasion, spec: ModelSpec, quote: Quote, at: datetime
) -> Reservation:
    return Reservation(
        id=reserved.id, occasion=occasion, model=spec.name, key=reserved.key, quote=quote, at=at
    )
