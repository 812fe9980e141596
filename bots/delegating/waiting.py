"""Waiting for what somebody else finishes: woken by a nudge, and looking by itself besides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from storage import delegations
from storage.delegation_tables import Delegation, Deliver
from storage.delegations import OPEN
from storage.store import Store

#: a lost nudge costs at most this
_LOOK_EVERY_S: Final = 2.0


class Waiting:
    """Of one process; `changed` wakes who waits for a delegation."""

    def __init__(self, store: Store, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._monotonic = monotonic
        self._bells: dict[str, asyncio.Event] = {}
        self._waiting: dict[str, int] = {}
        #: called whenever something became of any delegation
        self.watchers: list[Callable[[], None]] = []

    def changed(self, code: str) -> None:
        """Something became of it."""
        bell = self._bells.get(code)
        if bell is not None:
            bell.set()
        for watcher in self.watchers:
            watcher()

    async def until_settled(self, code: str, wait_s: float) -> Delegation | None:
        """The delegation once it has ended and its result was said where it was wanted, or as it is
        after `wait_s` seconds; None when there is none. Raises `StorageError`.
        """
        until = self._monotonic() + wait_s
        bell = self._bells.setdefault(code, asyncio.Event())
        self._waiting[code] = self._waiting.get(code, 0) + 1
        try:
            while True:
                bell.clear()
                now = await self._store.read(lambda unit: delegations.by_code(unit, code))
                left = until - self._monotonic()
                if now is None or is_settled(now) or left <= 0:
                    return now
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, _LOOK_EVERY_S)):
                        await bell.wait()
        finally:
            self._waiting[code] -= 1
            if not self._waiting[code]:
                del self._waiting[code], self._bells[code]


def is_settled(delegation: Delegation) -> bool:
    """Nothing more comes of it."""
    delivering = delegation.deliver in {Deliver.WANTED, Deliver.OWED}
    return delegation.state not in OPEN and not delivering
