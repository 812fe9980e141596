"""Keys on their way from the store to the agents that run here.

An agent is born with its key, and gets another one by its lifeline: when it is rotated, revoked
(here or on another machine), near its end, or could not be had before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
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
from storage.keys import Key

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
#: key id and sealed half of each key that is in a hand, or would be if it opened
Marks = frozenset[tuple[str, str]]


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
        #: agent → what these were when they were opened, for nothing is opened twice; None: it has
        #: none yet
        self._marks: dict[str, Marks | None] = {}
        self._told: set[str] = set()
        #: why agents have no keys; empty when they have
        self.trouble = ""

    async def prepare(self, agent: str) -> Hand:
        """What this agent is to be born with; its lease is ours. Raises `StorageError`.

        Without a master key it is born without: it talks, can be killed, and gets its key later.
        """
        async with self._giving:
            try:
                hand, marks = await self._hand(agent)
            except MasterUnavailable as error:
                self._cannot(error)
                hand, marks = NO_KEYS, None
            self._given[agent], self._marks[agent] = hand.ids, marks
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
        except MasterUnavailable as error:
            self._cannot(error)
        # Read after that: what was followed may have become a key.
        rows = await self._desk.keystore.every()
        try:
            for child in self._children.values():
                async with self._giving:
                    await self._give(child, rows)
        except MasterUnavailable as error:
            self._cannot(error)
        self._warn(rows)

    async def _give(self, child: Child, rows: Sequence[Key]) -> None:
        if not child.hears:
            return
        wanted = self._wanted(child.name, rows)
        if wanted is not None and wanted == self._marks.get(child.name):
            self.trouble = ""
            return
        # These rows may be older than what it was given since: now they are read again.
        hand, marks = await self._hand(child.name)
        if not child.hears:
            return
        self._marks[child.name] = marks
        if hand.ids != self._given.get(child.name):
            child.send(hand.message())
            self._given[child.name] = hand.ids
            self._log.info("key.given", agent=child.name, key_id=hand.ids[0])

    async def _hand(self, agent: str) -> tuple[Hand, Marks]:
        signer = await self._desk.ring.signer_of(agent)
        rows = await self._desk.keystore.every()
        theirs = self._desk.senders.heard_by(agent, rows)
        hand = Hand(signer, await self._desk.senders.opened(theirs))
        mine = (row for row in rows if row.key_id == signer.key_id)
        self.trouble = ""
        return hand, _marks_of(*mine, *theirs)

    def _wanted(self, agent: str, rows: Sequence[Key]) -> Marks | None:
        """What it ought to have; None where it needs a key that is none of these."""
        mine = self._desk.ring.going_on(agent, rows)
        return _marks_of(mine, *self._desk.senders.heard_by(agent, rows)) if mine else None

    def _cannot(self, error: MasterUnavailable) -> None:
        if self.trouble != str(error):
            self.trouble = str(error)
            self._log.error("keys.unavailable", why=self.trouble)

    def _warn(self, rows: Sequence[Key]) -> None:
        """Tell once of each of these keys that is near its end."""
        keystore = self._desk.keystore
        for key in rows:
            near = key.life.is_near_its_end(keystore.clock(), keystore.settings.warn_within)
            if near and key.key_id not in self._told:
                self._told.add(key.key_id)
                ends = key.expires_at.isoformat(timespec="minutes")
                self._log.warning("key.expires", key_id=key.key_id, owner=key.owner, at=ends)


def _marks_of(*keys: Key) -> Marks:
    return frozenset((key.key_id, key.sealed) for key in keys)
