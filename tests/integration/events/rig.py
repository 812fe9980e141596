"""A dispatcher with a real store and guard, whose networks write on paper."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from bots.answering.mouth import Mouth
from bots.answering.recovery import Recovery
from bots.events.dispatcher import Dispatcher
from bots.secrets import Redactor
from brain.guard import Guard, LatchPolicy
from storage import deliveries, events, subscriptions
from storage.core import SUBSCRIPTION
from storage.deliveries import Notice
from storage.event_tables import EventState, Subscription
from storage.latch import Latch
from storage.store import Store
from storage.subscriptions import Wanted
from tests.integration.herald.rig import Paper

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LOG = structlog.get_logger()


class Newsroom:
    """The captain's dispatcher, and what others record and want."""

    def __init__(self, store: Store, *papers: Paper) -> None:
        self.store = store
        self.now = NOON
        self.monotonic_s = 0.0
        self.latch: Latch | None = None
        self.papers = papers or (Paper(), Paper("discord"))
        self.dispatcher = self.reborn()

    def reborn(self) -> Dispatcher:
        """The dispatcher of another process, with the same store."""
        guard = Guard(self.store, [LatchPolicy(lambda _: self.latch)], time.monotonic, self.clock)
        networks: dict[str, Any] = {p.network: p for p in self.papers}
        self.recovery = Recovery(
            self.store, guard, networks, "captain", 1, clock=self.clock, log=LOG
        )
        self.dispatcher = Dispatcher(
            Mouth(self.store, guard, networks, "captain", self.clock, LOG, lambda: True),
            1,
            hops=4,
            latch=lambda: self.latch,
            redact=Redactor(["hunter2-secret"]).redact,
            clock=self.clock,
            monotonic=lambda: self.monotonic_s,
            log=LOG,
        )
        return self.dispatcher

    def clock(self) -> datetime:
        # No two looks at a clock show the same.
        self.now += timedelta(microseconds=1)
        return self.now

    def later(self, **passed: float) -> None:
        self.now += timedelta(**passed)
        self.monotonic_s += timedelta(**passed).total_seconds()

    async def wants(self, receiver: str, topic: str, **more: Any) -> int:
        """`receiver` subscribes; agents ask, everybody else is told at once."""
        address = "" if receiver.startswith("agent:") else receiver
        given: dict[str, Any] = {"address": address, "made_by": "test", "batch_s": 0} | more
        wanted = Wanted(receiver=receiver, topic=topic, **given)
        async with self.store.writing() as unit:
            return await subscriptions.add(
                unit, wanted, by="captain", now=self.clock(), trace_id="t"
            )

    async def ends(self, receiver: str, topic: str) -> bool:
        async with self.store.writing() as unit:
            [found] = [s for s in await subscriptions.of(unit, receiver) if s.topic == topic]
            return await subscriptions.end(
                unit, found, by="captain", made_by="test", now=self.clock(), trace_id="t"
            )

    async def happens(self, *texts: str, topic: str = "kill") -> None:
        async with self.store.writing() as unit:
            for text in texts:
                at = self.clock()
                await events.record(unit, topic=topic, agent="buyer", text=text, at=at)

    async def unread(self, receiver: str) -> list[Notice]:
        found, _ = await self.store.read(lambda unit: deliveries.unread(unit, receiver, 1_000))
        return found

    async def subscription(self, receiver: str) -> Subscription:
        [found] = await self.store.read(lambda unit: subscriptions.of(unit, receiver))
        return found

    async def states(self, receiver: str) -> dict[EventState, int]:
        found = await self.store.read(lambda unit: deliveries.counts(unit, receiver))
        total: dict[EventState, int] = {}
        for states in found.values():
            for state, number in states.items():
                total[state] = total.get(state, 0) + number
        return total

    async def kept_subscriptions(self) -> int:
        """How many there are, ended ones too."""
        query = sa.select(sa.func.count()).select_from(SUBSCRIPTION)
        async with self.store.reading() as unit:
            return int((await unit.execute(query)).scalar_one())

    def told(self, name: str) -> Sequence[str]:
        """The lines that came there since the last look, on any network."""
        texts = [text for paper in self.papers for text in paper.taken(name)]
        return [line for text in texts for line in text.splitlines()]
