"""A process that races for the probe: ``prober.py URL NAME``. Says ``ready``, waits for a line, and
then prints ``won`` or ``lost`` a round; a round begins when the turn of the one before has run out.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from functools import partial

from storage import circuits
from storage.circuit import probed
from storage.store import Store

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


async def main(url: str, name: str) -> None:
    store = await Store.open(url)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(20):
        now = NOON + timedelta(seconds=60 + 30 * number)
        rule = partial(probed, agent=name, now=now, turn_s=30)
        before, circuit = await store.write(partial(circuits.change, model="claude", rule=rule))
        print("won" if circuit != before else "lost", flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
