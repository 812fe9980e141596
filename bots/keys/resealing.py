"""Another master key for the same secrets: what the former one sealed is sealed anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bots.keys.keystore import Keystore
from bots.keys.master import Source
from bots.keys.sealing import Master, SealBroken
from storage import keys
from storage.keys import Key
from storage.unit import Unit


@dataclass(frozen=True)
class Resealed:
    #: how many were sealed anew
    count: int
    #: what neither master key opens
    unopened: tuple[Key, ...]


async def reseal(keystore: Keystore, former: Source | None, by: str) -> Resealed:
    """Seal with the present master key what `former` opens, all in one transaction.

    Raises `bots.keys.master.MasterUnavailable` and `storage.errors.StorageError`; then nothing has
    changed.
    """
    master = await keystore.master()
    old = await asyncio.to_thread(former) if former is not None else None
    now = keystore.clock()

    async def work(unit: Unit) -> Resealed:
        others = [key for key in await keys.every(unit) if key.master != master.name]
        changed = 0
        unopened: list[Key] = []
        for key in others:
            sealed = _moved(key, old, master)
            if sealed is None:
                unopened.append(key)
            else:
                await keys.reseal(unit, key, sealed=sealed, master=master.name, by=by, now=now)
                changed += 1
        return Resealed(changed, tuple(unopened))

    return await keystore.store().write(work, durable=True)


async def give_up(keystore: Keystore, lost: Sequence[Key], by: str) -> list[Key]:
    """Revoke those of `lost` that still verify: nobody can open them any more."""
    now, reason = keystore.clock(), "the master key that sealed it is lost"

    async def work(unit: Unit) -> list[Key]:
        living = [key for key in lost if key.life.may_verify(now)]
        for key in living:
            await keys.revoke(unit, key.key_id, by=by, now=now, reason=reason)
        return living

    return await keystore.store().write(work, durable=True)


def _moved(key: Key, old: Master | None, new: Master) -> str | None:
    if old is None:
        return None
    try:
        secret = old.unseal(key.sealed, key_id=key.key_id, owner=key.owner)
    except SealBroken:
        return None
    return new.seal(secret, key_id=key.key_id, owner=key.owner)
