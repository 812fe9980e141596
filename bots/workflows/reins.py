"""The right to drive the workflows of a swarm: one process has it at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from storage import leases
from storage.errors import LeaseLost
from storage.leases import Held
from storage.store import Store

LEASE: Final = "workflows"
LEASE_S: Final = 15.0


class Reins:
    """One process's hold on the lease. All raise `StorageError`."""

    def __init__(self, store: Store, holder: str, clock: Callable[[], datetime]) -> None:
        """`holder` names this very process."""
        self._store = store
        self._holder = holder
        self._clock = clock
        self._held: Held | None = None

    @property
    def is_held(self) -> bool:
        """As far as we know."""
        return self._held is not None

    @property
    def held(self) -> Held:
        """The lease as it was taken last; raises `LeaseLost` when it was not."""
        if self._held is None:
            raise LeaseLost("this process drives no workflows")
        return self._held

    async def take(self) -> bool:
        """Have the lease for half its time at least; False while somebody else has it."""
        now = self._clock()
        if self._held is None or self._held.expires_at - now < timedelta(seconds=LEASE_S / 2):
            self._held = await self._store.write(
                lambda unit: leases.acquire(unit, LEASE, self._holder, now=now, ttl_s=LEASE_S)
            )
        return self._held is not None

    async def keep(self) -> None:
        """A round over many runs may take longer than the lease. Raises `LeaseLost`."""
        if not await self.take():
            raise LeaseLost("somebody else drives the workflows now")

    def drop(self) -> None:
        """It is not certain any more that we have it."""
        self._held = None
