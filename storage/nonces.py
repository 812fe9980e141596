"""Nonces: each is good once, and kept for as long as what it signs could be fresh anywhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.core import NONCE, run
from storage.unit import Unit

#: clocks of two machines may differ by so much (DESIGN, wire forms): where one of them takes a
#: signature for expired, another may still take it
SKEW: Final = timedelta(seconds=300)
_FIRST: Final = {
    name: dialect.insert(NONCE)
    .on_conflict_do_nothing(index_elements=["value"])
    .returning(NONCE.c.value)
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}


async def use(unit: Unit, value: str, *, key_id: str = "", expires_at: datetime) -> bool:
    """Use up a nonce of one key; False when it was used before.

    `expires_at` is when the signature with it is taken nowhere any more, allowed skew aside.
    Nonces of different keys have nothing to do with each other: one sender cannot use up another's.
    """
    # An id has no blank, so no two pairs are spelled alike.
    spelled = f"{key_id} {value}" if key_id else value
    values = {"value": spelled, "expires_at": expires_at}
    return (await run(unit, _FIRST[unit.dialect], values)).first() is not None


async def forget(unit: Unit, now: datetime, limit: int) -> int:
    """Let at most `limit` nonces go that no clock takes for fresh; returns how many.

    Not done at each use: on PostgreSQL two receivers would wait for each other's rows.
    """
    c = NONCE.c
    over = sa.select(c.value).where(c.expires_at <= now - SKEW).order_by(c.expires_at).limit(limit)
    return (await run(unit, sa.delete(NONCE).where(c.value.in_(over)))).rowcount
