"""Writing what must be written: tried again for as long as the store does not take it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlmodel.ext.asyncio.session import AsyncSession
from structlog.typing import FilteringBoundLogger

from storage.errors import StorageError
from storage.store import Store

T = TypeVar("T")
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0


async def insist(
    store: Store,
    write: Callable[[AsyncSession], Awaitable[T]],
    log: FilteringBoundLogger,
    *,
    durable: bool = False,
) -> T:
    """Run `write` in a transaction until it succeeds, for facts that exist already and may not be
    forgotten.
    """
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            async with store.writing(durable=durable) as unit:
                return await write(unit)
        except StorageError as error:
            log.warning("store.insisting", error=str(error))
        await asyncio.sleep(pause_s)
        pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
