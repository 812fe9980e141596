"""Keys on their way from the store to the agents that run here.

An agent is born with its key, and gets another one by its lifeline: when it is rotated, revoked
(here or on another machine), near its end, or could not be had before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr
from structlog.typing import FilteringBoundLogger

from bots.keys.desk import KeyDesk
from bots.keys.master import MasterUnavailable
from bots.keys.signer import Signer
from bots.lifeline import Message
from bots.supervisor.child import Child
from storage.errors import StorageError

_LOOK_EVERY_S = 30.0
#: while the master key, or the store, cannot be had
_RETRY_S = 5.0


@dataclass(frozen=True)
class Hand:
    """What one agent is given; nothing in it where the master key cannot be had."""

    signer: Signer | None = None
    #: key id → HMAC secret
    senders: dict[str, SecretStr] = field(default_factory=dict, repr=False)

    @property
    def ids(self) -> tuple[str, frozenset[str]]:
        return self.signer.key_id if self.signer else "", frozenset(self.senders)

    def message(self) -> Message:
        """As it goes through the lifeline."""
        mine = None
        if self.signer is not None:
            private = self.signer.secret.get_secret_value()
            mine = {"key_id": self.signer.key_id, "private": private}
        theirs = {key_id: secret.get_secret_value() for key_id, secret in self.senders.items()}
        return {"signing_key": mine, "sender_secrets": theirs}


NO_KEYS: Final = Hand()


class Handing:
    def __init__(
        self, desk: KeyDesk, children: Mapping[str, Child], log: FilteringBoundLogger
    ) -> None:
        self._desk = desk
        self._children = children
        self._log = log
        self._look = asyncio.Event()
        #: held from making a hand to giving it: an older one must not arrive later
        self._giving = asyncio.Lock()
        #: agent → ids of the keys that it was given last
        self._given: dict[str, tuple[str, frozenset[str]]] = {}
        self._told: set[str] = set()
        #: why agents have no keys; empty when they have
        self.trouble = ""

    async def prepare(self, agent: str) -> Hand:
        """What this agent is to be born with; its lease is ours. Raises `StorageError`.

        Without a master key it is born without: it talks, can be killed, and gets its key later.
        """
        async with self._giving:
            try:
                hand = await self._hand(agent)
            except MasterUnavailable as error:
                self._cannot(error)
                hand = NO_KEYS
            self._given[agent] = hand.ids
        return hand

    def wake(self) -> None:
        """Look now: somebody was born, and what changed since `prepare` can reach it."""
        self._look.set()

    async def run(self) -> None:
        """Look every half minute, and when something happened, until cancelled."""
        while True:
            try:
                await self.look()
            except StorageError as error:
                self.trouble = str(error)
                self._log.warning("keys.unreadable", error=str(error))
            pause_s = _RETRY_S if self.trouble else _LOOK_EVERY_S
            try:
                async with asyncio.timeout(pause_s):
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()

    async def look(self) -> None:
        """Give every agent that runs here what it ought to have now. Raises `StorageError`."""
        try:
            await self._desk.senders.follow()
            for child in self._children.values():
                async with self._giving:
                    await self._give(child)
        except MasterUnavailable as error:
            self._cannot(error)
        await self._warn()

    async def _give(self, child: Child) -> None:
        if not child.hears:
            return
        hand = await self._hand(child.name)
        if child.hears and hand.ids != self._given.get(child.name):
            child.send(hand.message())
            self._given[child.name] = hand.ids
            self._log.info("key.given", agent=child.name, key_id=hand.ids[0])

    async def _hand(self, agent: str) -> Hand:
        signer = await self._desk.ring.signer_of(agent)
        hand = Hand(signer, await self._desk.senders.secrets_for(agent))
        self.trouble = ""
        return hand

    def _cannot(self, error: MasterUnavailable) -> None:
        if self.trouble != str(error):
            self.trouble = str(error)
            self._log.error("keys.unavailable", why=self.trouble)

    async def _warn(self) -> None:
        """Tell once of each key that is near its end."""
        keystore = self._desk.keystore
        for key in await keystore.every():
            near = key.life.is_near_its_end(keystore.clock(), keystore.settings.warn_within)
            if near and key.key_id not in self._told:
                self._told.add(key.key_id)
                ends = key.expires_at.isoformat(timespec="minutes")
                self._log.warning("key.expires", key_id=key.key_id, owner=key.owner, at=ends)
