"""What the HTTP room needs of the engine behind it."""

from __future__ import annotations

from typing import Protocol

from bots.delegating.order import Order
from storage.delegation_tables import Delegation


class Desk(Protocol):
    """Takes orders, and knows what became of them. Raises `storage.errors.StorageError`."""

    async def give(self, order: Order) -> Delegation:
        """Have it done; the same key of the same asker gives what it gave before.

        Raises `bots.delegating.order.NotGiven` and its kinds.
        """
        ...

    async def wait(self, code: str, wait_s: float) -> Delegation:
        """The delegation once it has ended and what was to be said of it is said, or as it is after
        `wait_s` seconds.
        """
        ...

    async def read(self, code: str) -> Delegation | None: ...

    async def cancel(self, code: str, by: str, why: str) -> Delegation | None:
        """End it, and all that was made for it; None when there is no such delegation."""
        ...
