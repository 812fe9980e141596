"""The bank test, after Jepsen's: eight processes move credits on one file and are killed at random.
Every read sums to the total, nobody is below zero, and what was begun is done or not done.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from storage.holds import find
from storage.ledger_values import HoldState
from storage.store import Store
from tests.integration.storage.banking import Banking
from tests.integration.storage.teller import CUSTOMERS
from tests.schema import give_schema

ROOT = Path(__file__).parents[3]
TELLERS = 8
EACH = 500
_FOR_S = 4.0
#: a slow machine
_WITHIN_S = 60.0


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Banking]:
    store = await Store.open(f"sqlite:///{tmp_path / 'parley.db'}", busy_timeout_ms=30_000)
    await give_schema(store)
    made = Banking(store)
    for number, name in enumerate(CUSTOMERS):
        await made.mint(name, EACH, f"m{number}")
    yield made
    await store.close()


async def teller(bank: Banking, number: int, seed: int, *more: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.storage.teller",
        bank.store.url.render_as_string(),
        *(str(number), str(seed), *more),
        cwd=ROOT,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )


async def says(process: Process, is_it: Callable[[str], bool]) -> str:
    """The first line of which `is_it` is true."""
    assert process.stdout is not None
    async with asyncio.timeout(_WITHIN_S):
        while line := (await process.stdout.readline()).decode().strip():
            assert not line.startswith("wrong"), line
            if is_it(line):
                return line
    raise AssertionError(await ended(process))


async def ended(process: Process) -> str:
    _, errors = await process.communicate()
    return errors.decode()


async def test_eight_tellers_and_kill_9(bank: Banking) -> None:
    seed = int(os.environ.get("BANK_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
    print(f"BANK_SEED={seed}")
    dice = random.Random(seed)
    running = dict(enumerate([await teller(bank, n, seed) for n in range(TELLERS)]))
    kills = 0
    try:
        await asyncio.gather(*(says(one, "ready".__eq__) for one in running.values()))
        until_s = time.monotonic() + _FOR_S
        while time.monotonic() < until_s or kills < 4:
            number = dice.randrange(TELLERS)
            # It is at work when it dies: it has just read, and goes on.
            await says(running[number], str.isdigit)
            running[number].kill()
            await running[number].wait()
            kills += 1
            found = await bank.balances()
            assert sum(found.values()) == 0
            assert found["treasury"] == -EACH * len(CUSTOMERS)
            assert min(sum_ for name, sum_ in found.items() if name != "treasury") >= 0
            running[number] = await teller(bank, number, seed)
            await says(running[number], "ready".__eq__)
    finally:
        for one in running.values():
            if one.returncode is None:
                one.send_signal(signal.SIGKILL)
        told = await asyncio.gather(*map(ended, running.values()))
    assert [one.returncode for one in running.values()] == [-signal.SIGKILL] * TELLERS, told
    bank.now += timedelta(days=1000)
    await bank.sweep()
    proved = await bank.reconcile()
    print(f"{proved.transfers} transfers, {proved.holds} holds, {kills} kills")
    assert proved.findings == ()
    assert proved.escrow_microcredits == 0
    assert proved.transfers > 2 * len(CUSTOMERS)


async def test_killed_between_authorise_and_capture_the_credits_come_back(bank: Banking) -> None:
    process = await teller(bank, 1, 1, "dies")
    await says(process, "held".__eq__)
    process.kill()
    await ended(process)
    hold = await bank.store.read(lambda unit: find(unit, "d1"))
    assert hold is not None
    assert hold.state is HoldState.HELD
    assert (await bank.balances())["a0"] == EACH - 7
    bank.now = hold.deadline - timedelta(milliseconds=1)
    assert await bank.sweep() == []
    bank.now = hold.deadline
    assert [one.state for one in await bank.sweep()] == [HoldState.VOIDED]
    assert (await bank.balances())["a0"] == EACH
    assert (await bank.reconcile()).findings == ()


async def test_whoever_takes_over_captures_what_the_dead_one_held(bank: Banking) -> None:
    process = await teller(bank, 2, 1, "dies")
    await says(process, "held".__eq__)
    process.kill()
    await ended(process)
    hold = await bank.store.read(lambda unit: find(unit, "d2"))
    assert hold is not None
    bank.now = hold.opened_at
    assert (await bank.authorise("a0", "a1", 7, "d2")).id == hold.id, "authorised once"
    assert (await bank.capture("a0", "d2", 7)).state is HoldState.CAPTURED
    assert (await bank.balances())["a1"] == EACH + 7
