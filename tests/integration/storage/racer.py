"""Processes that spend from one budget: ``racer.py URL PROCESSES CEILING``.

Each reserves random sums, settles or refunds them, and goes on until the ledger has said no a few
times. Right after each reservation, in its transaction, it adds the ledger up by itself. Prints
``sum above the ceiling`` and exits with 1 when that is more than the ceiling.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from datetime import UTC, datetime, timedelta
from functools import partial

import sqlalchemy as sa

from storage import spending
from storage.core import run
from storage.spending import Bill, Call, Ceiling, Crossing, KeyLimit, Reserved, Slice
from storage.store import Store
from storage.unit import Unit

_TRUTH = sa.text(
    "SELECT sum(CASE state WHEN 'reserved' THEN reserved_nusd "
    "WHEN 'settled' THEN cost_nusd ELSE 0 END) FROM spending"
)
_REFUSALS = 5


class Overspent(Exception):
    """The ledger holds more than the ceiling."""


async def race(url: str, number: int, ceiling: int) -> None:
    store = await Store.open(url, connections=1, busy_timeout_ms=30_000)
    dice = random.Random(number)
    refusals = 0
    while refusals < _REFUSALS:
        sum_nusd = dice.randint(1, ceiling // 200)
        reserve = partial(_reserve, number=number, sum_nusd=sum_nusd, ceiling=ceiling)
        reserved = await store.write(reserve)
        if reserved is None:
            refusals += 1
            continue
        await store.write(partial(_close, dice=dice, id_=reserved, sum_nusd=sum_nusd))
    await store.close()


async def _reserve(unit: Unit, number: int, sum_nusd: int, ceiling: int) -> int | None:
    now = datetime.now(UTC)
    call = Call(
        agent=f"agent-{number}",
        model="clever",
        provider_model="m",
        session="irc:#lobby",
        task=f"inbox:{number}",
        reserved_nusd=sum_nusd,
        at=now,
        epoch=1,
        trace_id="t",
    )
    swarm = Ceiling(slice=Slice(since=now - timedelta(hours=1)), nusd=ceiling)
    found = await spending.reserve(unit, call, [swarm], [KeyLimit(name="env:KEY")])
    if isinstance(found, Crossing):
        return None
    assert isinstance(found, Reserved)
    truth = (await run(unit, _TRUTH)).scalar_one()
    if truth > ceiling:
        raise Overspent(f"{truth} above {ceiling}")
    return found.id


async def _close(unit: Unit, dice: random.Random, id_: int, sum_nusd: int) -> None:
    now = datetime.now(UTC)
    if dice.random() < 0.2:
        await spending.refund(unit, id_, now=now)
    else:
        await spending.settle(unit, id_, Bill(nusd=dice.randint(0, sum_nusd)), now=now)


def main(url: str, processes: int, ceiling: int) -> int:
    start, go = os.pipe()
    children = []
    for number in range(processes):
        child = os.fork()
        if child == 0:
            os.close(go)
            os.read(start, 1)
            try:
                asyncio.run(race(url, number, ceiling))
            except Overspent as error:
                print(error, flush=True)
                os._exit(1)
            os._exit(0)
        children.append(child)
    os.close(go)
    return max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
