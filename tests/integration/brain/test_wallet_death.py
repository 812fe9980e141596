"""What a process had set aside when it was killed is booked by the next one."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from brain.errors import OverBudget
from brain.wallet.tariff import FREE
from brain.wallet.wallet import Quote
from storage.store import Store
from tests.integration.brain.purse import CAPTAIN, SPEC, Purse, day

SPENDER = Path(__file__).with_name("spender.py")
ROOT = Path(__file__).parents[3]


async def killed_after(store: Store, lines: int, epoch: int) -> list[str]:
    """What a spending process said until it got SIGKILL, some lines after its start."""
    url = store.url.render_as_string(hide_password=False)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(SPENDER), url, str(epoch)),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    said = [await asyncio.wait_for(process.stdout.readline(), 30) for _ in range(lines)]
    process.kill()
    rest, _ = await process.communicate()
    assert process.returncode == -signal.SIGKILL
    return [*(line.decode().strip() for line in said), *rest.decode().split()]


async def sum_of(purse: Purse) -> int:
    rows = await purse.booked()
    return sum(reserved if state == "reserved" else cost for state, reserved, cost in rows)


@pytest.mark.parametrize("lines", [1, 2, 21, 40])
async def test_no_bill_is_lost_with_the_process_that_owed_it(store: Store, lines: int) -> None:
    said = await killed_after(store, lines, epoch=1)
    billed = sum(int(line) for line in said if line != "asked")
    purse = Purse(store)
    next_one = purse.wallet(epoch=2)
    before = await purse.booked()
    open_nusd = [reserved for state, reserved, _ in before if state == "reserved"]
    assert len(open_nusd) <= 1
    recovered = [await next_one.recover("captain"), await next_one.recover("captain")]
    assert recovered == [len(open_nusd), 0]
    after = await purse.booked()
    assert {state for state, _, _ in after} == {"settled"}
    assert billed <= sum(cost for _, _, cost in after) <= billed + sum(open_nusd)


async def test_a_call_that_was_killed_counts_until_it_is_recovered_and_after(store: Store) -> None:
    """Before, between and after: nobody can spend its money a second time."""
    await killed_after(store, 1, epoch=1)
    purse = Purse(store)
    next_one = purse.wallet(day(spent := await sum_of(purse)), epoch=2)
    for _ in range(2):
        with pytest.raises(OverBudget):
            await next_one.reserve(CAPTAIN, SPEC, Quote(nusd=1, tariff=FREE))
        await next_one.recover("captain")
        assert await sum_of(purse) == spent
