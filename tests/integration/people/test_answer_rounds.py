"""Who waits for people is told in time, and looking for it costs one read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import structlog

from bots.people.telling import Telling
from storage import requests
from storage.latch import Latch
from storage.request import Approvers, Decision, NewRequest, Request, RequestKind
from storage.store import Store
from tests.integration.counting import CountingStore

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CASE = NewRequest(
    agent="captain",
    kind=RequestKind.CONTENT,
    subject="release notes",
    title="Release notes",
    asked_by="buyer",
    approvers=Approvers(("45",)),
    network="discord",
    channel="#ceo-office",
    expires_at=NOON + timedelta(hours=2),
    waiter="buyer",
    trace_id="t1",
)


class Captain:
    """Tells, and has no desk yet to give work from."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.latch: Latch | None = None
        giving: Any = SimpleNamespace(agent="captain", store=store, clock=lambda: NOON)
        self.telling = Telling(
            giving, latch=lambda: self.latch, changed=lambda: None, log=structlog.get_logger()
        )

    async def asked(self, **changes: Any) -> Request:
        async with self.store.writing() as unit:
            return await requests.open_one(unit, replace(CASE, **changes), NOON)


@pytest.fixture
async def captain(store: Store, empty_database: str) -> AsyncIterator[Captain]:
    counting = await CountingStore.open(empty_database)
    assert isinstance(counting, CountingStore)
    yield Captain(counting)
    await counting.close()


async def test_many_cases_that_wait_for_people_cost_one_read_a_look(captain: Captain) -> None:
    for number in range(5):
        await captain.asked(subject=f"note {number}", reference=f"delegation:D-7k2m9qx{number}")
    assert isinstance(captain.store, CountingStore)
    captain.store.taken = 0
    await captain.telling.look()
    assert captain.store.taken == 1


async def test_who_looks_by_itself_is_told_as_soon_as_it_does_so_no_more(
    captain: Captain,
) -> None:
    asked = await captain.asked(awaited_until=NOON + timedelta(seconds=1))
    async with captain.store.writing() as unit:
        await requests.decide(unit, asked.id, Decision(approved=False, by="you"), NOON)
    # A second, and five of grace.
    assert await captain.telling.look() == 6
