"""Keys with their secret halves: sealed on the way into the store, opened on the way out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from pydantic import SecretStr

from bots.key_settings import KeySettings
from bots.keys.master import MasterUnavailable, Source
from bots.keys.sealing import Master, SealBroken
from bots.keys.signer import new_id
from storage import keys
from storage.key_tables import KeyAlgorithm, KeyKind
from storage.keys import Key, NewKey
from storage.store import Store

#: who makes and replaces keys when nobody asked for it
SWARM: Final = "the swarm"
_ASK_AGAIN: Final = timedelta(seconds=4)


class KeyRefused(Exception):
    """A key cannot be made, replaced or revoked as was asked; the text says why."""


class Keystore:
    """Reads the rows anew at every call; only the master key is kept."""

    def __init__(
        self,
        settings: KeySettings,
        source: Source,
        store: Callable[[], Store],
        clock: Callable[[], datetime],
    ) -> None:
        self.settings = settings
        self.store = store
        self.clock = clock
        #: held by who looks before it makes: two must not both find nothing
        self.turn = asyncio.Lock()
        self._source = source
        self._master: Master | None = None
        #: why it could not be had, and until when nobody is asked again
        self._refusal: tuple[str, datetime] | None = None

    async def master(self) -> Master:
        """Asked for once; raises `MasterUnavailable`, and for a moment without asking again: two
        dozen agents that are born at once would each wait for a Vault that is away.
        """
        if self._master is not None:
            return self._master
        if self._refusal is not None and self.clock() < self._refusal[1]:
            raise MasterUnavailable(self._refusal[0])
        try:
            self._master = await asyncio.to_thread(self._source)
        except MasterUnavailable as error:
            self._refusal = str(error), self.clock() + _ASK_AGAIN
            raise
        return self._master

    async def add(
        self,
        owner: str,
        kind: KeyKind,
        alg: KeyAlgorithm,
        secret: SecretStr,
        *,
        public: str = "",
        by: str,
    ) -> Key:
        """Store a new key that `owner` signs with from now on; on disk when this returns."""
        master, key_id, now = await self.master(), new_id(owner), self.clock()
        new = NewKey(
            key_id=key_id,
            owner=owner,
            kind=kind,
            alg=alg,
            public=public,
            sealed=master.seal(secret, key_id=key_id, owner=owner),
            master=master.name,
            expires_at=now + self.settings.life,
        )
        overlap = self.settings.overlap
        return await self.store().write(
            lambda unit: keys.add(unit, new, by=by, now=now, overlap=overlap), durable=True
        )

    async def open(self, key: Key) -> SecretStr | None:
        """The secret half; None where another master key sealed it, or somebody changed it."""
        master = await self.master()
        try:
            return master.unseal(key.sealed, key_id=key.key_id, owner=key.owner)
        except SealBroken:
            return None

    async def current(self, owner: str) -> Key | None:
        now = self.clock()
        return await self.store().read(lambda unit: keys.current(unit, owner, now))

    async def of_owner(self, owner: str) -> list[Key]:
        return await self.store().read(lambda unit: keys.of_owner(unit, owner))

    async def every(self) -> list[Key]:
        return await self.store().read(keys.every)
