"""A process that upgrades: ``migrator.py URL LOCK_FILE``. Waits for a line on its input first."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from storage.migrate import upgrade
from storage.store import Store


async def main(url: str, lock_file: Path) -> None:
    store = await Store.open(url)
    await upgrade(store, lock_file)
    await store.close()


if __name__ == "__main__":
    print("ready", flush=True)
    sys.stdin.readline()
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
