"""Writing what must be written: tried again for as long as the store does not take it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from structlog.typing import FilteringBoundLogger
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    wait_random_exponential,
)

from storage.errors import StorageError
from storage.store import Store
from storage.unit import Unit

T = TypeVar("T")
_PAUSES = wait_random_exponential(multiplier=0.2, max=5.0)


async def insist(
    store: Store,
    write: Callable[[Unit], Awaitable[T]],
    log: FilteringBoundLogger,
    *,
    durable: bool = False,
) -> T:
    """Have the store `write` this until it succeeds, for facts that exist already and may not be
    forgotten.
    """

    async def once() -> T:
        return await store.write(write, durable=durable)

    def tell(state: RetryCallState) -> None:
        outcome = state.outcome
        log.warning("store.insisting", error=str(outcome.exception()) if outcome else "")

    again = retry_if_exception_type(StorageError)
    return await AsyncRetrying(retry=again, wait=_PAUSES, before_sleep=tell)(once)
