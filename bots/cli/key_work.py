"""Where a command about keys is carried out: by the supervisor while there is one, else right here
in the store, under the swarm's lock.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog

from bots import logs
from bots.cli.control import NoAnswer, Supervisor
from bots.cli.exits import CommandError, Exit
from bots.cli.person import person
from bots.cli.store_work import read_store
from bots.clock import utc_now
from bots.keys.desk import KeyDesk
from bots.keys.keystore import KeyRefused
from bots.keys.master import MasterUnavailable
from bots.secrets import Redactor
from bots.settings import Settings
from bots.state import StateFolder, database_url
from bots.supervisor.folder_lock import AlreadyRunning, is_locked, lock
from storage import keys
from storage.errors import StorageError
from storage.keys import Key
from storage.migrate import upgrade
from storage.store import Store

T = TypeVar("T")


def order(state: StateFolder, verb: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """What the running supervisor answers; None when none runs. Raises `CommandError`."""
    # The lock, not the process's number: that may be a zombie's by now, or somebody else's.
    supervisor = Supervisor.find(state) if is_locked(state) else None
    if supervisor is None:
        return None
    try:
        return supervisor.post(f"/control/keys/{verb}", {**body, "by": person()}, within_s=30)
    except NoAnswer as error:
        raise CommandError(f"{error}. `run.py keys list` shows what came of it.") from None


def at_desk(settings: Settings, state: StateFolder, work: Callable[[KeyDesk], Awaitable[T]]) -> T:
    """Do `work` here, while no supervisor can; raises `CommandError`."""

    async def here() -> T:
        async with _desk(settings, state) as desk:
            return await work(desk)

    try:
        return asyncio.run(here())
    except AlreadyRunning as error:
        raise CommandError(str(error), Exit.ALREADY_RUNNING) from None
    except (KeyRefused, MasterUnavailable, StorageError, OSError) as error:
        raise CommandError(str(error)) from None


def all_keys(settings: Settings, state: StateFolder) -> list[Key]:
    """Every key in the store; none where there is no store yet. Raises `CommandError`."""
    return read_store(settings, state, keys.every, empty=[])


@asynccontextmanager
async def _desk(settings: Settings, state: StateFolder) -> AsyncIterator[KeyDesk]:
    state.create()
    held = lock(state)
    try:
        limits = settings.limits
        # Its own log: what happens to keys is found where the supervisor tells of it too.
        logs.configure(
            state.log_of("supervisor"),
            bytes=limits.log_bytes,
            files=limits.log_files,
            redactor=Redactor(),
        )
        store = await Store.open(database_url(settings, state))
        try:
            await upgrade(store, state.path / "migrate.lock")
            log = structlog.get_logger().bind(process="command line")
            yield KeyDesk.of(settings, state, lambda: store, utc_now, log)
        finally:
            await store.close()
    finally:
        os.close(held)
