"""A process at the bank: ``teller.py URL NUMBER SEED``. Transfers, holds, captures, voids, refunds
and sweeps at random until it is killed; each in its own transaction. Between them it reads all
balances, and ends with 1 when they do not add up or one is below zero.

Prints ``ready`` first, then a number for each read.

``teller.py URL NUMBER SEED dies`` authorises one hold, says ``held`` and waits for its death.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import sys
from contextlib import suppress
from datetime import UTC, datetime

from storage.errors import LedgerRefused
from storage.ledger_orders import TREASURY
from storage.store import Store
from tests.integration.storage.banking import Banking

#: names of accounts; every process acts for all of them
CUSTOMERS = tuple(f"a{number}" for number in range(6))
#: so short that some holds are overdue before they are captured
_WITHIN_S = 0.5


async def main(url: str, number: str, seed: int, *, dies: bool) -> None:
    store = await Store.open(url, connections=1, busy_timeout_ms=30_000)
    bank = Banking(store, datetime.now(UTC))
    if dies:
        await bank.authorise("a0", "a1", 7, f"d{number}")
        print("held", flush=True)
        sys.stdin.readline()
    dice = random.Random(f"{seed}.{number}")
    # A replacement goes on where nobody has used the ids yet.
    life = f"{number}-{os.getpid()}"
    held: list[tuple[str, str, str]] = []
    print("ready", flush=True)
    for turn in itertools.count():
        bank.now = datetime.now(UTC)
        with suppress(LedgerRefused):
            await _act(bank, dice, f"{life}-{turn}", held)
        if turn % 5 == 0:
            _look(await bank.balances())
            print(turn, flush=True)


async def _act(
    bank: Banking, dice: random.Random, code: str, held: list[tuple[str, str, str]]
) -> None:
    payer, payee = dice.sample(CUSTOMERS, 2)
    sum_ = dice.randint(1, 60)
    kind = dice.choice(("pay", "hold", "hold", "capture", "capture", "void", "refund", "sweep"))
    if kind == "pay":
        await bank.pay(payer, payee, sum_, code)
    elif kind == "hold":
        await bank.authorise(payer, payee, sum_, code, within_s=_WITHIN_S)
        held.append((code, payer, payee))
    elif kind == "sweep":
        await bank.sweep()
    elif held:
        hold, payer, payee = dice.choice(held[-8:])
        if kind == "capture":
            await bank.capture(payer, hold, sum_, code, fee=dice.randint(0, 1) if sum_ > 1 else 0)
        elif kind == "void":
            await bank.void(payee, hold)
        else:
            await bank.refund(payee, hold, sum_, code)


def _look(found: dict[str, int]) -> None:
    below = [name for name, sum_ in found.items() if sum_ < 0 and name != TREASURY]
    if below or sum(found.values()) != 0:
        print(f"wrong: {found}", flush=True)
        sys.exit(1)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), dies=sys.argv[4:] == ["dies"]))
