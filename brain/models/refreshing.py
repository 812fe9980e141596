"""A key that the provider refuses is renewed once, by one process, and taken by all.

A token that refreshes another is good once: two processes that use it at the same moment lock each
other out. So who renews holds a lease; the others wait for what comes of it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, Protocol

from brain.errors import LoginRefused
from brain.model import Capabilities, Completion, Conversation, Reader
from brain.models.given import Given
from brain.models.provider import Key, Provider
from storage import leases
from storage.errors import StorageError
from storage.store import Store
from storage.unit import Unit


class Login(Protocol):
    """Where keys come from. Neither raises: what cannot be had is None."""

    async def read(self, name: str) -> Key | None:
        """The key that a reference gives now: another process may have renewed it."""

    async def renew(self, key: Key) -> Key | None:
        """A new key for one that is refused, kept where `read` finds it, in every process."""


@dataclass(frozen=True, kw_only=True)
class Renewals:
    """How renewals are shared out."""

    #: after one attempt, successful or not, none is made for the same key for so long
    rest_s: float = 60.0
    #: an attempt that takes longer is taken for dead
    turn_s: float = 30.0
    #: how long somebody else's attempt is waited for, and how often it is looked at
    wait_s: float = 10.0
    look_every_s: float = 0.25


RENEWALS: Final = Renewals()


class _Turn(Enum):
    OURS = "ours"
    THEIRS = "theirs"
    OVER = "over"


class Renewing:
    """A `Provider` around `provider` whose refused keys are renewed; one for each model.

    Between the pool of keys and the provider: the pool goes on knowing a key by its name, whatever
    its value is by now. Raises the provider's `LoginRefused` when there is no other key to be had.
    """

    def __init__(
        self,
        provider: Provider,
        login: Login,
        store: Store,
        renewals: Renewals = RENEWALS,
        *,
        agent: str,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._provider = provider
        self._login = login
        self._store = store
        self._renewals = renewals
        self._agent = agent
        self._now = now
        self._sleep = sleep
        #: by name: the newest value of a key that was refused once
        self._renewed: dict[str, Key] = {}
        self._under_way: dict[str, asyncio.Task[Key | None]] = {}

    @property
    def capabilities(self) -> Capabilities:
        return self._provider.capabilities

    async def complete(
        self, conversation: Conversation, key: Key | None, reader: Reader | None = None
    ) -> Completion:
        """One request, and one more with another key where the first was refused."""
        if key is None:
            return await self._provider.complete(conversation, None, reader)
        key = self._renewed.get(key.name, key)
        given = Given(reader)
        try:
            return await self._provider.complete(conversation, key, given.reader)
        except LoginRefused:
            newer = await self._newer(key)
            if newer is None:
                raise
        given.again()
        return await self._provider.complete(conversation, newer, given.reader)

    async def close(self) -> None:
        await self._provider.close()

    async def _newer(self, key: Key) -> Key | None:
        """Another value of a refused key. Who is cancelled stops waiting; what was begun is ended,
        for a token may be used up already and the new one must not be lost.
        """
        known = self._renewed.get(key.name, key)
        if known.value != key.value:
            return known
        task = self._under_way.get(key.name)
        if task is None:
            task = asyncio.create_task(self._renew(key))
            self._under_way[key.name] = task
            task.add_done_callback(lambda _: self._under_way.pop(key.name))
        return await asyncio.shield(task)

    async def _renew(self, key: Key) -> Key | None:
        newer = await self._found(key)
        if newer is None:
            newer = await self._made(key)
        if newer is not None:
            self._renewed[key.name] = newer
        return newer

    async def _found(self, key: Key) -> Key | None:
        """What the reference gives by now, if it is not the refused value."""
        read = await self._login.read(key.name)
        return None if read is None or read.value == key.value else read

    async def _made(self, key: Key) -> Key | None:
        """A key renewed by us or by somebody else; None without the store: unshared is not safe."""
        holder = f"{self._agent}:{secrets.token_hex(4)}"
        try:
            turn = await self._store.write(lambda unit: self._take_turn(unit, key.name, holder))
            if turn is _Turn.THEIRS:
                return await self._awaited(key)
            if turn is _Turn.OVER:
                return await self._found(key)
        except StorageError:
            return None
        # Somebody may have ended between our reading and our turn.
        newer = await self._found(key) or await self._login.renew(key)
        await self._end_turn(key.name, holder)
        return newer

    async def _take_turn(self, unit: Unit, name: str, holder: str) -> _Turn:
        """Two leases: that it is being renewed, and that it was tried a moment ago. The second is
        never given back, so a renewal that failed is not repeated at once, whoever asks.
        """
        now = self._now()
        rest = await leases.acquire(
            unit, _tried(name), holder, now=now, ttl_s=self._renewals.rest_s
        )
        if rest is not None:
            turn_s = self._renewals.turn_s
            await leases.acquire(unit, _at_work(name), holder, now=now, ttl_s=turn_s)
            return _Turn.OURS
        return _Turn.THEIRS if await leases.current(unit, _at_work(name), now) else _Turn.OVER

    async def _end_turn(self, name: str, holder: str) -> None:
        # Lost, it runs out by itself.
        with suppress(StorageError):
            await self._store.write(
                lambda unit: leases.acquire(
                    unit, _at_work(name), holder, now=self._now(), ttl_s=0.0
                )
            )

    async def _awaited(self, key: Key) -> Key | None:
        """What somebody else's renewal brings, while it lasts and our patience does."""
        waited_s = 0.0
        while waited_s < self._renewals.wait_s:
            await self._sleep(self._renewals.look_every_s)
            waited_s += self._renewals.look_every_s
            # Looked at before the key is read: what ends in between is seen the next time.
            working = await self._store.read(
                lambda unit: leases.current(unit, _at_work(key.name), self._now())
            )
            newer = await self._found(key)
            if newer is not None or working is None:
                return newer
        return None


def _tried(name: str) -> str:
    return f"renewed:{name}"


def _at_work(name: str) -> str:
    return f"renewing:{name}"
