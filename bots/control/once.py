"""A signature is good once, in the whole swarm."""

from __future__ import annotations

from bots.control.signatures import Signed
from storage import nonces
from storage.store import Store


async def first_use(store: Store, signed: Signed) -> bool:
    """Use a signature up; False when it was used before. Raises `StorageError`."""
    async with store.writing() as unit:
        return await nonces.use(unit, signed.nonce, expires_at=signed.expires_at)
