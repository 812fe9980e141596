"""What people may want of keys, whichever process carries it out: create, rotate, revoke."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import SecretStr
from structlog.typing import FilteringBoundLogger

from bots.keys.keystore import KeyRefused, Keystore
from bots.keys.master import source_of
from bots.keys.ring import Ring
from bots.keys.senders import Senders
from bots.settings import Settings
from bots.state import StateFolder
from storage import keys
from storage.keys import Key
from storage.store import Store


@dataclass(frozen=True)
class Made:
    key: Key
    #: of a sender's key that was made here: for a person, this once
    secret: SecretStr | None = field(default=None, repr=False)


class KeyDesk:
    """Raises `KeyRefused` for what cannot be done, `bots.keys.master.MasterUnavailable` and
    `storage.errors.StorageError`.
    """

    def __init__(self, settings: Settings, keystore: Keystore, log: FilteringBoundLogger) -> None:
        self._agents = [agent.name for agent in settings.agents]
        self._known = [*self._agents, *settings.hooks.senders]
        self.keystore = keystore
        self.ring = Ring(keystore, log)
        self.senders = Senders(settings.hooks.senders, keystore, log)
        self._log = log

    @classmethod
    def of(
        cls,
        settings: Settings,
        state: StateFolder,
        store: Callable[[], Store],
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> KeyDesk:
        """The desk of the swarm that `settings` describes; nothing is asked of anybody yet."""
        keystore = Keystore(settings.keys, source_of(settings, state), store, clock)
        return cls(settings, keystore, log)

    async def create(self, sender: str, by: str) -> Made:
        if sender in self._agents:
            raise KeyRefused(f"{sender} is an agent: the swarm makes its key by itself")
        return Made(*await self.senders.create(sender, by))

    async def rotate(self, owner: str, by: str) -> Made:
        if owner in self._agents:
            return Made(await self.ring.rotate(owner, by))
        if owner not in self._known:
            raise KeyRefused(f"there is no agent and no sender {owner!r}{self._nearest(owner)}")
        return Made(*await self.senders.rotate(owner, by))

    async def revoke(self, name: str, by: str, reason: str) -> list[Key]:
        """Revoke one key by its id, or all that still verify of an owner; those that changed."""
        now, store = self.keystore.clock(), self.keystore.store()
        async with store.writing(durable=True) as unit:
            one = await keys.read(unit, name)
            found = [one] if one is not None else await keys.of_owner(unit, name)
            meant = [key for key in found if key.life.may_verify(now)]
            for key in meant:
                await keys.revoke(unit, key.key_id, by=by, now=now, reason=reason)
        if one is not None and not meant:
            raise KeyRefused(f"{name} {one.life.why_not(now)}")
        if not meant:
            raise KeyRefused(f"there is no key, and no owner of one that verifies, {name!r}")
        self._log.warning("key.revoked", key_ids=[key.key_id for key in meant], by=by)
        return meant

    def _nearest(self, name: str) -> str:
        near = difflib.get_close_matches(name, self._known, 1)
        return f"; did you mean {near[0]}?" if near else ""
