"""The ledger behind the guard: each order is weighed, recorded and carried out in one durable
transaction, so credits never move without their permit's entry in the audit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from brain.guard import Guard, LatchPolicy
from storage import holds, ledger
from storage.acts import Permit
from storage.latch import Latch
from storage.ledger_orders import (
    OPERATORS,
    Authorise,
    Capture,
    Mint,
    Order,
    Pay,
    Refund,
    Sweep,
    Void,
    act_for,
)
from storage.ledger_values import Hold, Transfer
from storage.store import Store
from storage.unit import Unit

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Bank:
    """Everything here raises `Refused`, and `StorageError` with `LedgerRefused` below it. The same
    order once more is safe, whatever became of the first.
    """

    guard: Guard
    #: whose acts these are: the agent, or `storage.ledger_orders.OPERATORS`
    agent: str
    #: aware UTC, and monotonic seconds
    now: Callable[[], datetime]
    monotonic: Callable[[], float]

    @classmethod
    def of_operators(
        cls,
        store: Store,
        latch: Callable[[str], Latch | None],
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> Bank:
        """For what people order at this machine, and what falls due by itself."""
        guard = Guard(store, [LatchPolicy(latch)], monotonic, now)
        return cls(guard=guard, agent=OPERATORS, now=now, monotonic=monotonic)

    async def mint(self, order: Mint, *, reason: str, trace_id: str) -> Transfer:
        return await self._carry_out(order, partial(ledger.mint, order=order), reason, trace_id)

    async def pay(self, order: Pay, *, reason: str, trace_id: str) -> Transfer:
        return await self._carry_out(order, partial(ledger.pay, order=order), reason, trace_id)

    async def authorise(self, order: Authorise, *, reason: str, trace_id: str) -> Hold:
        return await self._carry_out(order, partial(holds.authorise, order=order), reason, trace_id)

    async def capture(self, order: Capture, *, reason: str, trace_id: str) -> Hold:
        return await self._carry_out(order, partial(holds.capture, order=order), reason, trace_id)

    async def void(self, order: Void, *, reason: str, trace_id: str) -> Hold:
        return await self._carry_out(order, partial(holds.void, order=order), reason, trace_id)

    async def refund(self, order: Refund, *, reason: str, trace_id: str) -> Transfer:
        return await self._carry_out(order, partial(holds.refund, order=order), reason, trace_id)

    async def sweep(self, *, trace_id: str) -> list[Hold]:
        """Give back what is held beyond its deadline."""
        return await self._carry_out(Sweep(), holds.sweep, "deadlines have passed", trace_id)

    async def _carry_out(
        self, order: Order, work: Callable[..., Awaitable[T]], reason: str, trace_id: str
    ) -> T:
        async def move(unit: Unit, permit: Permit) -> T:
            return await work(unit, permit, now=self.now(), now_s=self.monotonic())

        act = act_for(order, agent=self.agent, reason=reason, trace_id=trace_id)
        return await self.guard.carry_out(act, move, durable=True)
