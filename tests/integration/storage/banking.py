"""A bank on a store, with a real guard: what the tests of the ledger share."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from brain.bank import Bank
from brain.guard import Guard, LatchPolicy
from storage.ledger_orders import OPERATORS, Authorise, Capture, Mint, Pay, Refund, Void
from storage.ledger_values import Hold, Transfer
from storage.reconciliation import Reconciliation, reconcile
from storage.statements import balances
from storage.store import Store

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Banking:
    """Agents are named without their ``agent:``; every order is its own agent's."""

    store: Store
    now: datetime = NOON
    guard: Guard = field(init=False)

    def __post_init__(self) -> None:
        policies = [LatchPolicy(lambda _: None)]
        self.guard = Guard(self.store, policies, time.monotonic, lambda: self.now)

    def of(self, agent: str) -> Bank:
        return Bank(guard=self.guard, agent=agent, now=lambda: self.now, monotonic=time.monotonic)

    async def mint(self, account: str, microcredits: int, code: str = "m") -> Transfer:
        order = Mint(
            code=code, account=f"agent:{account}", microcredits=microcredits, operator="alice"
        )
        return await self.of(OPERATORS).mint(order, reason="a test", trace_id="t")

    async def pay(self, payer: str, payee: str, microcredits: int, code: str = "p") -> Transfer:
        order = Pay(
            code=code, payer=f"agent:{payer}", payee=f"agent:{payee}", microcredits=microcredits
        )
        return await self.of(payer).pay(order, reason="a test", trace_id="t")

    async def authorise(
        self,
        payer: str,
        payee: str,
        microcredits: int,
        code: str = "h",
        within_s: float = 60,
        *,
        arbiter: str = "",
    ) -> Hold:
        order = Authorise(
            code=code,
            payer=f"agent:{payer}",
            payee=f"agent:{payee}",
            microcredits=microcredits,
            deadline=self.now + timedelta(seconds=within_s),
            arbiter=arbiter,
        )
        return await self.of(payer).authorise(order, reason="a test", trace_id="t")

    async def capture(
        self, by: str, hold: str, microcredits: int, code: str = "c", fee: int = 0
    ) -> Hold:
        order = Capture(code=code, hold=hold, microcredits=microcredits, fee_microcredits=fee)
        return await self.of(by).capture(order, reason="a test", trace_id="t")

    async def void(self, by: str, hold: str) -> Hold:
        return await self.of(by).void(Void(hold=hold), reason="a test", trace_id="t")

    async def refund(self, by: str, hold: str, microcredits: int, code: str = "r") -> Transfer:
        order = Refund(code=code, hold=hold, microcredits=microcredits)
        return await self.of(by).refund(order, reason="a test", trace_id="t")

    async def sweep(self) -> list[Hold]:
        return await self.of(OPERATORS).sweep(trace_id="t")

    async def balances(self) -> dict[str, int]:
        """By name, without ``agent:``."""
        found = await self.store.read(balances)
        return {name.removeprefix("agent:"): sum_ for name, sum_ in found.items()}

    async def reconcile(self) -> Reconciliation:
        return await self.store.read(reconcile)
