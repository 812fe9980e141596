"""Today's schema for a test's store, copied from one that was migrated once in this process.

The migrations themselves are what tests/integration/storage/test_migrate.py is about, on both
databases; elsewhere a whole run of Alembic before each test is most of what the test costs.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Final

from storage.migrate import upgrade
from storage.store import Store

#: the migrated database, once there is one
_made: Final[list[sqlite3.Connection]] = []


async def give_schema(store: Store) -> None:
    """Fill the SQLite database of `store` with today's tables, unless it has tables."""
    if not _made:
        _made.append(await _migrated())
    assert store.dialect == "sqlite"
    with closing(sqlite3.connect(str(store.url.database))) as database:
        if database.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
            _made[0].backup(database)


async def _migrated() -> sqlite3.Connection:
    """A database in memory, with what `upgrade` made."""
    memory = sqlite3.connect(":memory:")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "migrated.sqlite")
        store = Store(f"sqlite:///{path}")
        await upgrade(store, Path(folder, "lock"))
        await store.close()
        with closing(sqlite3.connect(path)) as file:
            file.backup(memory)
    return memory
