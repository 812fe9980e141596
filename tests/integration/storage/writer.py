"""A process that writes: ``writer.py URL NAME COUNT``. Prints a number once it is committed.

With ``COUNT`` 0 it writes until it is killed.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from datetime import UTC, datetime

from storage import audit, record
from storage.record import NewLine, Owed
from storage.store import Store


async def main(url: str, name: str, count: int) -> None:
    store = await Store.open(url)
    numbers = range(count) if count else itertools.count()
    for number in numbers:
        now = datetime.now(UTC)
        line = NewLine(
            network="irc",
            channel="#lobby",
            sender=name,
            kind="said",
            text=str(number),
            said_at=now,
            heard_at=now,
            heard_by=name,
            trace_id="t",
            owed=(Owed(name, "irc:#lobby", 30),),
        )
        async with store.writing() as unit:
            last = await record.last_id(unit, "irc", "#lobby")
            await record.keep(unit, [line], last)
            await audit.append(
                unit,
                agent="captain",
                at=now,
                verb="write",
                target=name,
                outcome="done",
                reason="a test",
                details={"number": number},
                trace_id="t",
            )
        print(number, flush=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
