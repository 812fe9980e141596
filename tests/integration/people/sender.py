"""A captain's process that tells people; a test kills it. Arguments: database, steps."""

from __future__ import annotations

import asyncio
import json
import sys

from storage.store import Store
from tests.integration.people.test_escalation import Office


async def _main() -> None:
    store = await Store.open(sys.argv[1])
    await Office(store, json.loads(sys.argv[2])).at(0)


if __name__ == "__main__":
    asyncio.run(_main())
