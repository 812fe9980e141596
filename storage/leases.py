"""Named rights that one process holds at a time, each with a fencing epoch.

The epoch rises whenever a lease begins anew, so work done under an older one can be refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from storage.core import LEASE, insert, run
from storage.errors import LeaseLost
from storage.unit import Unit

#: a released lease keeps its row and epoch; it has merely expired long ago
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Held:
    name: str
    holder: str
    epoch: int
    expires_at: datetime


async def acquire(
    unit: Unit, name: str, holder: str, *, now: datetime, ttl_s: float
) -> Held | None:
    """Take or extend a lease for `ttl_s` seconds; None while somebody else holds it.

    A live lease of the same holder keeps its epoch; a new, released or expired one gets a new one.
    """
    until = now + timedelta(seconds=ttl_s)
    c = LEASE.c
    live_and_ours = sa.and_(c.holder == holder, c.expires_at > now)
    take = (
        sa.update(LEASE)
        .where(c.name == name, sa.or_(c.holder == holder, c.expires_at <= now))
        .values(
            holder=holder,
            epoch=sa.case((live_and_ours, c.epoch), else_=c.epoch + 1),
            expires_at=until,
        )
        .returning(c.epoch)
    )
    epoch = (await run(unit, take)).scalar_one_or_none()
    if epoch is None:
        first = insert(unit, LEASE).values(name=name, holder=holder, epoch=1, expires_at=until)
        added = first.on_conflict_do_nothing(index_elements=["name"]).returning(c.epoch)
        epoch = (await run(unit, added)).scalar_one_or_none()
    return None if epoch is None else Held(name, holder, epoch, until)


async def release_all(unit: Unit, holder: str) -> int:
    """Give back whatever `holder` holds, as when its process has died; returns how many.

    A process that must not be taken for its predecessor holds as ``captain.7``: its epoch besides.
    """
    whose = sa.or_(
        LEASE.c.holder == holder, LEASE.c.holder.startswith(f"{holder}.", autoescape=True)
    )
    give = sa.update(LEASE).where(whose, LEASE.c.expires_at > _LONG_AGO)
    return (await run(unit, give.values(expires_at=_LONG_AGO))).rowcount


async def current(unit: Unit, name: str, now: datetime) -> Held | None:
    """Who holds `name` at `now`; None when nobody does."""
    c = LEASE.c
    query = sa.select(c.name, c.holder, c.epoch, c.expires_at)
    row = (await run(unit, query.where(c.name == name, c.expires_at > now))).one_or_none()
    return None if row is None else Held(*row)


async def require(unit: Unit, held: Held, now: datetime) -> None:
    """Raise `LeaseLost` unless `held` is still good at `now`.

    On PostgreSQL nobody can take it over before this transaction ends; on SQLite nobody can write.
    """
    c = LEASE.c
    query = sa.select(c.epoch).where(
        c.name == held.name, c.holder == held.holder, c.epoch == held.epoch, c.expires_at > now
    )
    if (await run(unit, query.with_for_update(read=True))).one_or_none() is None:
        raise LeaseLost(f"{held.holder} does not hold {held.name} (epoch {held.epoch}) any more.")
