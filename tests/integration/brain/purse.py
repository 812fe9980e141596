"""Parts around a wallet: a provider that does as it is told, and what a test says to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
import structlog
from structlog.testing import CapturingLogger

from brain.guard import Guard, LatchPolicy
from brain.model import (
    Capabilities,
    Completion,
    Conversation,
    Message,
    Occasion,
    Reader,
    Role,
)
from brain.models.keys import KeyPool
from brain.models.metered import Metered
from brain.models.provider import Key, ModelSpec, Price
from brain.wallet.budgets import Budget, NearlySpent, Window
from brain.wallet.prices import Prices
from brain.wallet.wallet import Wallet
from storage.core import SPENDING, run
from storage.latch import Latch
from storage.store import Store
from tests.integration.brain.stage import NOW

#: a tenth of a cent for a thousand tokens of input, a cent for a thousand of output
PRICE = Price(input=Decimal(1), output=Decimal(10))
CAPTAIN = Occasion(agent="captain", session="irc:#lobby", task="inbox:1", trace_id="trace-1")
KEYS = (Key(name="env:ONE", value="first-secret"), Key(name="env:TWO", value="second-secret"))
SPEC = ModelSpec(
    name="clever",
    provider="anthropic",
    model="claude-of-tests",
    keys=KEYS[:1],
    price=PRICE,
    max_output_tokens=100,
)


def conversation(text: str = "hello", occasion: Occasion | None = CAPTAIN) -> Conversation:
    return Conversation(
        system="", messages=(Message(role=Role.USER, text=text),), occasion=occasion
    )


def day(nusd: int, agent: str | None = "captain") -> Budget:
    return Budget(window=Window.DAY, nusd=nusd, agent=agent)


CAPABLE = Capabilities(tools=True, streaming=True, json_schema=True, context_tokens=100_000)
Answering = Callable[[Conversation, Key | None, Reader | None], Awaitable[Completion]]


@dataclass
class Provided:
    """A provider whose answers the test decides on."""

    answer: Answering
    asked: list[Key | None] = field(default_factory=list)
    capabilities: Capabilities = CAPABLE

    async def complete(
        self, conversation: Conversation, key: Key | None, reader: Reader | None = None
    ) -> Completion:
        self.asked.append(key)
        return await self.answer(conversation, key, reader)

    async def close(self) -> None:
        """There is nothing to close."""


def always(outcome: Completion | Exception) -> Answering:
    async def answer(_c: Conversation, _k: Key | None, _r: Reader | None) -> Completion:
        await asyncio.sleep(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return answer


@dataclass
class Purse:
    """One agent's wallet on a real store; the test turns its clock."""

    store: Store
    now: datetime = NOW
    latch: Latch | None = None
    warned: list[NearlySpent] = field(default_factory=list)
    logged: CapturingLogger = field(default_factory=CapturingLogger)
    wallets: list[Wallet] = field(default_factory=list)
    prices: Prices = field(default_factory=Prices)

    def clock(self) -> datetime:
        return self.now

    def wallet(self, *budgets: Budget, epoch: int = 1, store: Store | None = None) -> Wallet:
        made = Wallet(
            store or self.store,
            budgets,
            self.prices,
            clock=self.clock,
            epoch=epoch,
            log=structlog.wrap_logger(
                self.logged,
                processors=[],
                wrapper_class=structlog.make_filtering_bound_logger(0),
            ),
            warn=self.warned.append,
        )
        self.wallets.append(made)
        return made

    def metered(
        self,
        answer: Answering,
        *budgets: Budget,
        spec: ModelSpec = SPEC,
        wallet: Wallet | None = None,
    ) -> tuple[Metered, Provided]:
        provider = Provided(answer)
        wallet = wallet or self.wallet(*budgets)
        guard = Guard(
            self.store, [LatchPolicy(lambda _: self.latch)], time.monotonic, lambda: self.now
        )
        pool = KeyPool(spec, self.clock)
        return Metered(provider, spec, pool, wallet, guard, monotonic=time.monotonic), provider

    async def booked(self, *columns: str) -> Sequence[Any]:
        """The rows of the ledger, once everything that was begun is booked."""
        for wallet in self.wallets:
            await wallet.close()
        chosen = [SPENDING.c[name] for name in columns or ("state", "reserved_nusd", "cost_nusd")]
        async with self.store.reading() as unit:
            rows = (await run(unit, sa.select(*chosen).order_by(SPENDING.c.id))).all()
        return [tuple(row) if len(chosen) > 1 else row[0] for row in rows]

    def events(self) -> list[str]:
        return [call.kwargs["event"] for call in self.logged.calls]
