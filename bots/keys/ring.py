"""The agents' pairs: made when there is none, replaced before its end, given to its owner alone.

The row is committed before anybody gets the private half, so an agent never signs with a key that
nobody can verify.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import SecretStr
from structlog.typing import FilteringBoundLogger

from bots.keys.keystore import SWARM, Keystore
from bots.keys.signer import Signer, new_pair
from storage.key_life import KeyState
from storage.key_tables import KeyAlgorithm, KeyKind
from storage.keys import Key


class Ring:
    def __init__(self, keystore: Keystore, log: FilteringBoundLogger) -> None:
        self._keystore = keystore
        self._log = log

    async def signer_of(self, agent: str) -> Signer:
        """What this agent signs with; a new pair where it has none that lives, that is far from its
        end and that our master key opens.

        Call it for agents that run here, under their leases. Raises
        `bots.keys.master.MasterUnavailable` and `storage.errors.StorageError`.
        """
        async with self._keystore.turn:
            key = await self._keystore.current(agent)
            if key is not None and not self._is_due(key):
                private = await self._keystore.open(key)
                if private is not None:
                    return Signer(key.key_id, private)
                self._log.warning("key.sealed_by_another", key_id=key.key_id, master=key.master)
            made, private = await self._make(agent, SWARM)
            return Signer(made.key_id, private)

    def going_on(self, agent: str, rows: Iterable[Key]) -> Key | None:
        """The one of these keys that this agent goes on signing with, if our master key opens it;
        None where it gets another one.
        """
        now = self._keystore.clock()
        mine = (row for row in rows if row.owner == agent and row.life.state(now) is KeyState.SIGNS)
        key = next(mine, None)
        return None if key is None or self._is_due(key) else key

    async def rotate(self, agent: str, by: str) -> Key:
        """A new pair; the old one verifies for the overlap. Raises as `signer_of`."""
        async with self._keystore.turn:
            return (await self._make(agent, by))[0]

    async def _make(self, agent: str, by: str) -> tuple[Key, SecretStr]:
        public, private = new_pair()
        key = await self._keystore.add(
            agent, KeyKind.AGENT, KeyAlgorithm.ED25519, private, public=public, by=by
        )
        self._log.info("key.made", key_id=key.key_id, owner=agent, by=by)
        return key, private

    def _is_due(self, key: Key) -> bool:
        settings = self._keystore.settings
        return key.life.is_near_its_end(self._keystore.clock(), settings.rotate_within)
