"""The supervisor looks after the ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from structlog.testing import capture_logs

from bots.supervisor.bookkeeping import Bookkeeping
from brain.errors import Refused
from storage import holds
from storage.latch import UNREADABLE, Latch
from storage.ledger_values import HoldState
from storage.store import Store
from tests.integration.storage.banking import Banking
from tests.schema import give_schema


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Banking]:
    store = await Store.open(f"sqlite:///{tmp_path / 'parley.sqlite'}")
    await give_schema(store)
    bank = Banking(store)
    await bank.mint("alice", 100)
    yield bank
    await store.close()


def keeping(bank: Banking, latch: Latch | None = None) -> Bookkeeping:
    return Bookkeeping(
        lambda: bank.store,
        lambda _: latch,
        clock=lambda: bank.now,
        log=structlog.get_logger(),
    )


async def test_what_is_held_too_long_goes_back_once(bank: Banking) -> None:
    await bank.authorise("alice", "bob", 40, within_s=60)
    ledger = keeping(bank)
    await ledger.look()
    held = await bank.store.read(lambda unit: holds.find(unit, "h"))
    assert held is not None
    assert held.state is HoldState.HELD
    bank.now += timedelta(seconds=61)
    with capture_logs() as logs:
        await ledger.look()
        await ledger.look()
    assert [e["holds"] for e in logs if e["event"] == "ledger.swept"] == [["h"]]
    assert (await bank.balances())["alice"] == 100
    assert not [e for e in logs if e["event"] == "ledger.wrong"]


async def test_sums_that_are_wrong_are_told_at_the_start_and_every_hour(bank: Banking) -> None:
    async with bank.store.writing() as unit:
        # Somebody had the file in hand.
        triggers = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in (await unit.execute(triggers)).all():
            await unit.execute(sa.text(f'DROP TRIGGER "{name}"'))
        await unit.execute(sa.text("DELETE FROM entry WHERE account = 'agent:alice'"))
    ledger = keeping(bank)
    counts = []
    with capture_logs() as logs:
        for later in (timedelta(), timedelta(seconds=30), timedelta(hours=1)):
            bank.now += later
            await ledger.look()
            counts.append(sum(e["event"] == "ledger.wrong" for e in logs))
    assert counts[0] > 0
    assert counts == [counts[0], counts[0], 2 * counts[0]]
    assert {e["log_level"] for e in logs} == {"error"}


async def test_of_a_killed_swarm_nothing_goes_back(bank: Banking) -> None:
    await bank.authorise("alice", "bob", 40, within_s=60)
    bank.now += timedelta(seconds=61)
    with pytest.raises(Refused):
        await keeping(bank, UNREADABLE).look()
    assert (await bank.balances())["alice"] == 60
