"""Where commands reach the swarm's store without the swarm: they open it, and close it again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bots.cli.exits import CommandError
from bots.settings import Settings
from bots.state import StateFolder, database_url
from storage.errors import StorageError
from storage.store import Store
from storage.unit import Unit

T = TypeVar("T")


def has_store(settings: Settings, state: StateFolder) -> bool:
    """False where no swarm has run yet; a configured database is there."""
    return bool(settings.swarm.database_url) or state.database.exists()


def at_store(settings: Settings, state: StateFolder, work: Callable[[Store], Awaitable[T]]) -> T:
    """What `work` gives; raises `CommandError` when the store does not do it."""

    async def here() -> T:
        store = await Store.open(database_url(settings, state))
        try:
            return await work(store)
        finally:
            await store.close()

    try:
        return asyncio.run(here())
    except StorageError as error:
        raise CommandError(str(error)) from None


def read_store(
    settings: Settings, state: StateFolder, work: Callable[[Unit], Awaitable[T]], *, empty: T
) -> T:
    """What `work` reads in one transaction, or `empty` where no swarm has run yet. Raises
    `CommandError`.
    """
    if not has_store(settings, state):
        return empty
    return at_store(settings, state, lambda store: store.read(work))
