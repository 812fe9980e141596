"""Where commands about credits are carried out: right in the store, swarm up or down, and through a
guard, as every act.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from bots.cli.exits import CommandError, Exit
from bots.cli.person import person
from bots.cli.store_work import at_store, has_store
from bots.clock import utc_now
from bots.settings import Settings
from bots.state import StateFolder
from brain.bank import Bank
from brain.errors import Refused
from brain.guard import LatchPolicy
from storage.latch import LatchFile
from storage.ledger_orders import ESCROW, FEES, TREASURY, Mint, owned
from storage.ledger_values import Hold, Transfer
from storage.reconciliation import Reconciliation, reconcile
from storage.statements import Line, statement
from storage.store import Store
from storage.transfers import balance

T = TypeVar("T")
_NOBODYS = (TREASURY, ESCROW, FEES)


@dataclass(frozen=True)
class Desk:
    """All of it raises `CommandError`."""

    settings: Settings
    state: StateFolder

    def account(self, name: str, *, of_somebody: bool = False) -> str:
        """``captain`` is ``agent:captain``; raises `SettingsError` for an agent that there is not,
        and `LedgerRefused` for what can be no account.
        """
        if name in _NOBODYS and not of_somebody:
            return name
        account = name if ":" in name else f"agent:{name}"
        owned(account)
        kind, _, whose = account.partition(":")
        if kind == "agent":
            self.settings.agent(whose)
        return account

    def mint(self, order: Mint, reason: str) -> tuple[Transfer, int]:
        """The transfer, and what the account has now."""

        async def mint(store: Store) -> tuple[Transfer, int]:
            made = await self._bank(store).mint(order, reason=reason, trace_id=_trace())
            return made, await store.read(lambda unit: balance(unit, order.account))

        return self._with_store(mint)

    def sweep(self) -> list[Hold]:
        return self._with_store(lambda store: self._bank(store).sweep(trace_id=_trace()))

    def statement(self, account: str, limit: int) -> list[Line]:
        return self._with_store(
            lambda store: store.read(lambda unit: statement(unit, account, limit))
        )

    def reconcile(self) -> Reconciliation:
        return self._with_store(lambda store: store.read(reconcile))

    def _bank(self, store: Store) -> Bank:
        latch = LatchFile(self.state.latch).killed
        return Bank.of_operators(store, latch, now=utc_now, monotonic=time.monotonic)

    def _with_store(self, work: Callable[[Store], Awaitable[T]]) -> T:
        if not has_store(self.settings, self.state):
            raise CommandError(
                "no swarm has run here yet: `run.py up` first, then this", Exit.NOT_RUNNING
            )
        try:
            return at_store(self.settings, self.state, work)
        except Refused as error:
            code = Exit.KILLED if error.policy == LatchPolicy.name else Exit.FAILED
            raise CommandError(error.reason, code) from None


def minting(code: str, account: str, microcredits: int) -> Mint:
    """An order of whoever sits here; a new id where `code` is empty."""
    return Mint(
        code=code or f"mint-{secrets.token_hex(6)}",
        account=account,
        microcredits=microcredits,
        operator=person(),
    )


def _trace() -> str:
    return secrets.token_hex(8)
