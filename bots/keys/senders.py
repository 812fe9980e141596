"""The HMAC secrets of outside senders: given by reference in swarm.toml, or made by us.

A sender's secret is somebody else's too, so none is replaced unless a person wants it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from pydantic import SecretStr
from structlog.typing import FilteringBoundLogger

from bots.hook_settings import SenderSettings
from bots.keys.keystore import SWARM, KeyRefused, Keystore
from bots.keys.signer import new_secret
from bots.secrets import SecretError, resolve
from storage.key_tables import KeyAlgorithm, KeyKind
from storage.keys import Key

#: characters of a secret that nobody guesses
SHORTEST = 16


class Senders:
    def __init__(
        self,
        senders: Mapping[str, SenderSettings],
        keystore: Keystore,
        log: FilteringBoundLogger,
    ) -> None:
        self._senders = senders
        self._keystore = keystore
        self._log = log
        #: sender → why its reference could not be used when it was followed last
        self._unchanged: dict[str, str] = {}

    def heard_by(self, agent: str, rows: Iterable[Key]) -> list[Key]:
        """Those of these keys that verify and whose senders may address this agent."""
        now = self._keystore.clock()
        owners = {name for name, sender in self._senders.items() if sender.may_address(agent)}
        return [row for row in rows if row.owner in owners and row.life.may_verify(now)]

    async def opened(self, rows: Iterable[Key]) -> dict[str, SecretStr]:
        """Key id → secret, of those that our master key opens; raises
        `bots.keys.master.MasterUnavailable`.
        """
        found = {row.key_id: await self._keystore.open(row) for row in rows}
        return {key_id: secret for key_id, secret in found.items() if secret is not None}

    async def follow(self) -> None:
        """Take over what swarm.toml's references lead to now; what cannot be used is told in the
        log, once for each reason, and what was there stays. Raises `MasterUnavailable` and
        `storage.errors.StorageError`.
        """
        for name, sender in self._senders.items():
            if sender.secret is None:
                continue
            try:
                await self._take(name, sender.secret, SWARM)
            except (SecretError, KeyRefused) as error:
                why = str(error)
                if self._unchanged.get(name) != why:
                    self._log.warning("sender.unchanged", sender=name, why=why)
                self._unchanged[name] = why
            else:
                self._unchanged.pop(name, None)

    async def create(self, name: str, by: str) -> tuple[Key, SecretStr]:
        """A secret of our making for a sender that has none that lives; shown this once.

        Raises `KeyRefused`, and as `follow`.
        """
        self._is_ours_to_make(name)
        async with self._keystore.turn:
            if await self._keystore.current(name) is not None:
                raise KeyRefused(f"{name} has a key that signs: rotate it, or revoke it first")
            return await self._make(name, by)

    async def rotate(self, name: str, by: str) -> tuple[Key, SecretStr | None]:
        """A new secret; it comes back where it was made here and has to be shown. Raises as
        `create`.
        """
        sender = self._senders.get(name)
        if sender is None or sender.secret is None:
            self._is_ours_to_make(name)
            async with self._keystore.turn:
                return await self._make(name, by)
        try:
            taken = await self._take(name, sender.secret, by)
        except SecretError as error:
            raise KeyRefused(str(error)) from None
        if taken is None:
            raise KeyRefused(
                f"{sender.secret} still holds the secret that it held before: change it there first"
            )
        return taken, None

    async def _take(self, name: str, reference: str, by: str) -> Key | None:
        """The key of what `reference` leads to, where that is a secret it never led to before."""
        given = await asyncio.to_thread(resolve, reference)
        if len(given) < SHORTEST:
            raise KeyRefused(
                f"{reference} holds fewer than {SHORTEST} characters: anyone guesses it"
            )
        async with self._keystore.turn:
            for key in await self._keystore.of_owner(name):
                known = await self._keystore.open(key)
                if known is None and key.revoked_at is not None and by == SWARM:
                    raise KeyRefused(
                        f"nobody can tell whether {reference} holds what was revoked as "
                        f"{key.key_id}: another master key sealed that. If it does not: "
                        f"python3 run.py keys rotate {name}"
                    )
                if known is not None and known.get_secret_value() == given:
                    # A secret that was revoked, or is too old, does not come back by a restart.
                    return None
            return await self._add(name, SecretStr(given), by)

    async def _make(self, name: str, by: str) -> tuple[Key, SecretStr]:
        secret = new_secret()
        return await self._add(name, secret, by), secret

    async def _add(self, name: str, secret: SecretStr, by: str) -> Key:
        hmac = KeyAlgorithm.HMAC_SHA256
        key = await self._keystore.add(name, KeyKind.SENDER, hmac, secret, by=by)
        self._log.info("key.made", key_id=key.key_id, owner=name, by=by)
        return key

    def _is_ours_to_make(self, name: str) -> None:
        sender = self._senders.get(name)
        if sender is None:
            raise KeyRefused(
                f"swarm.toml knows no sender {name!r}; say there whom it may address: "
                f'[hooks.senders.{name}] may_delegate_to = ["AGENT"]'
            )
        if sender.secret is not None:
            raise KeyRefused(f"{name}'s secret is {sender.secret}, as swarm.toml says")
