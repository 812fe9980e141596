"""Nonces: each is good once, and kept for as long as a signature with it could be fresh."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.core import NONCE, insert, run
from storage.unit import Unit


async def use(unit: Unit, value: str, *, expires_at: datetime, now: datetime) -> bool:
    """Use a nonce up; False when it was used before. Forgets those that have expired."""
    await run(unit, sa.delete(NONCE).where(NONCE.c.expires_at <= now))
    add = insert(unit, NONCE).values(value=value, expires_at=expires_at)
    first = add.on_conflict_do_nothing(index_elements=["value"]).returning(NONCE.c.value)
    return (await run(unit, first)).first() is not None
