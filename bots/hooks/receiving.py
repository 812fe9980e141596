"""What the HTTP room needs of the engine behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from bots.delegating.order import Order
from storage.delegation_tables import Delegation
from storage.unit import Unit

#: what must hold in the transaction that takes an order
First = Callable[[Unit], Awaitable[None]]


class Desk(Protocol):
    """Takes orders, and knows what became of them. Raises `storage.errors.StorageError`."""

    async def give(self, order: Order, first: First | None = None) -> Delegation:
        """Have it done; the same key of the same asker gives what it gave before.

        `first` is done in the transaction that takes the order, or else before anything is told:
        what it raises is raised. Raises `bots.delegating.order.NotGiven` and its kinds.
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
