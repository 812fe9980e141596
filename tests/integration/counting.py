"""A store that counts the transactions of whoever looks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from storage.store import Store
from storage.unit import Unit

T = TypeVar("T")


class CountingStore(Store):
    """`taken` is how many transactions there were since it was set to 0."""

    taken = 0

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Unit]:
        self.taken += 1
        async with super().reading() as unit:
            yield unit

    async def read(self, work: Callable[[Unit], Awaitable[T]]) -> T:
        self.taken += 1
        return await super().read(work)

    async def write(self, work: Callable[[Unit], Awaitable[T]], *, durable: bool = False) -> T:
        self.taken += 1
        return await super().write(work, durable=durable)
