"""The one sweeper of a swarm: signs the audit chains' heads, and lets old lines go."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from structlog.typing import FilteringBoundLogger

from bots.control.signatures import public_half
from bots.supervisor.ground import Ground
from storage import (
    checkpoints,
    delegations,
    events,
    leases,
    nonces,
    project_log,
    record,
    replies,
    sessions,
    spending,
    talks,
    workflows,
)
from storage.errors import StorageError

EVERY_S = 30.0
_LEASE_S = 90.0
_PRUNE_LINES = 2_000
_NONCES = 5_000


class Sweeper:
    """Works under the lease ``sweeper``, so that of several supervisors one does."""

    def __init__(
        self,
        ground: Ground,
        holder: str,
        key: Ed25519PrivateKey,
        *,
        retention: timedelta,
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        self._ground = ground
        self._holder = holder
        self._key = key
        self._retention = retention
        self._clock = clock
        self._log = log

    async def run(self) -> None:
        """Sweep every `EVERY_S`, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                if await self._is_ours():
                    await self.sweep()
            except StorageError as error:
                self._log.warning("sweep.failed", error=str(error))

    async def sweep(self) -> None:
        """Sign what has grown, and forget what is older than the retention."""
        async with self._ground.store.writing(durable=True) as unit:
            for head in await checkpoints.unsigned(unit):
                signature = base64.b64encode(self._key.sign(head.message)).decode()
                await checkpoints.add(
                    unit, head, at=self._clock(), key=public_half(self._key), signature=signature
                )
        before = self._clock() - self._retention
        async with self._ground.store.writing() as unit:
            # What people asked is kept no longer than what they said.
            await sessions.prune(unit, before)
            await replies.prune(unit, before)
            await spending.prune(unit, before)
            await workflows.prune(unit, before)
            await delegations.prune(unit, before)
            await talks.prune(unit, before)
            await project_log.prune(unit, before)
        await self._forget_nonces()
        await self._forget_events(before)
        gone = _PRUNE_LINES
        while gone == _PRUNE_LINES:
            # In small bites: agents write between them.
            async with self._ground.store.writing() as unit:
                gone = await record.prune(unit, before, limit=_PRUNE_LINES)
            if gone:
                self._log.info("record.pruned", lines=gone)

    async def _forget_nonces(self) -> None:
        gone = _NONCES
        while gone == _NONCES:
            async with self._ground.store.writing() as unit:
                gone = await nonces.forget(unit, self._clock(), limit=_NONCES)

    async def _forget_events(self, before: datetime) -> None:
        gone = _PRUNE_LINES
        while gone == _PRUNE_LINES:
            async with self._ground.store.writing() as unit:
                gone = await events.prune(unit, before, limit=_PRUNE_LINES)

    async def _is_ours(self) -> bool:
        async with self._ground.store.writing() as unit:
            held = await leases.acquire(
                unit, "sweeper", self._holder, now=self._clock(), ttl_s=_LEASE_S
            )
        return held is not None


def genuine(key: str, signature: str, message: bytes) -> bool:
    """Whether `signature` (base64) under `message` was made by `key` (base64 public key)."""
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key))
        public.verify(base64.b64decode(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True
