"""One request that is permitted, paid and accounted for: the innermost `Model` around a provider.

What a failed request costs: what the provider says it counted; without a word from it, all that was
reserved where part of an answer had been made (the stream was cut, or we hung up on it), and
nothing otherwise. A request that was cancelled or refused before it left costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from brain.errors import LoginRefused, ModelFailed, OverBudget, RateLimited
from brain.guard import Guard
from brain.model import Capabilities, Completion, Conversation, Occasion, Reader
from brain.models.keys import KeyPool
from brain.models.provider import ModelSpec, Provider
from brain.wallet.wallet import Quote, Reservation, Wallet
from storage.acts import Act


class Metered:
    """`monotonic` reads the seconds that the guard's permits are dated by."""

    def __init__(
        self,
        provider: Provider,
        spec: ModelSpec,
        pool: KeyPool,
        wallet: Wallet,
        guard: Guard,
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self._provider = provider
        self._spec = spec
        self._pool = pool
        self._wallet = wallet
        self._guard = guard
        self._monotonic = monotonic

    @property
    def name(self) -> str:
        return self._spec.name

    @property
    def label(self) -> str:
        called = self._spec.model or self._spec.name
        return f"{called} (weak)" if self.capabilities.is_weak else called

    @property
    def capabilities(self) -> Capabilities:
        return self._provider.capabilities

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        """One completion with its cost; raises `ModelFailed`, `Refused` by the guard, and
        `StorageError`. Raises `OverBudget` for a conversation without an occasion: nobody pays.
        """
        occasion = conversation.occasion
        if occasion is None:
            raise OverBudget(f"Nobody pays for this call, so {self.name} is not asked")
        quote = self._wallet.quote(self._spec, conversation)
        while True:
            keys = self._pool.in_turn()
            reservation = await self._wallet.reserve(occasion, self._spec, quote, keys)
            # Last of all: whoever kills it while it waits for the ledger ends this request too.
            await self._permit(self._act(occasion, quote), reservation)
            try:
                return await self._call(conversation, reader, reservation)
            except (LoginRefused, RateLimited):
                # That speaks of the key, not of the model, as long as there is another one.
                if not self._pool.has_other_than(reservation.key):
                    raise

    async def close(self) -> None:
        await self._provider.close()

    async def _permit(self, act: Act, reservation: Reservation) -> None:
        is_permitted = False
        try:
            permit = await self._guard.permit(act)
            permit.check(act.verb, act.target, now_s=self._monotonic())
            is_permitted = True
        finally:
            if not is_permitted:
                self._wallet.give_back(reservation)

    async def _call(
        self, conversation: Conversation, reader: Reader | None, reservation: Reservation
    ) -> Completion:
        is_closed = False
        try:
            key = self._pool.key(reservation.key)
            completion = await self._provider.complete(conversation, key, reader)
            is_closed = True
        except ModelFailed as error:
            is_closed = True
            await self._close_failed(reservation, error)
            # After the money: nothing in here can make it be taken for spent.
            self._pool.turned_down(reservation.key, error)
            raise
        finally:
            if not is_closed:
                # Cancelled on the way, or broken: the provider may have begun to answer.
                self._wallet.forfeit(reservation)
        cost = await self._wallet.settle(reservation, completion.usage)
        return replace(completion, cost_nusd=cost, notes=(*completion.notes, *self._weak()))

    def _weak(self) -> tuple[str, ...]:
        """A model whose judgement is not to be relied on says so wherever it speaks."""
        return (f"{self.label}: do not rely on it.",) if self.capabilities.is_weak else ()

    async def _close_failed(self, reservation: Reservation, error: ModelFailed) -> None:
        if error.usage is not None:
            await self._wallet.settle(reservation, error.usage)
        elif error.maybe_billed:
            self._wallet.forfeit(reservation)
        else:
            await self._wallet.refund(reservation)

    def _act(self, occasion: Occasion, quote: Quote) -> Act:
        return Act(
            agent=occasion.agent,
            verb="query",
            target=f"model:{self.name}",
            reason=f"to go on with {occasion.task} in {occasion.session}",
            trace_id=occasion.trace_id,
            details={"reserved_nusd": quote.nusd},
        )
