"""Keys: who may sign with what, and who may no longer.

Each change is one transaction with its entry in the owner's audit chain. Nobody keeps a copy of a
row: who accepts a signature reads the key in the transaction that accepts, so a revocation holds
everywhere from its commit on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from storage import audit
from storage.core import SIGNING_KEY, one_at_a_time, run
from storage.key_life import KeyState, Life
from storage.key_tables import KeyAlgorithm, KeyKind, SigningKey
from storage.unit import Unit

_COLUMNS: Final = [SIGNING_KEY.c[name] for name in SigningKey.model_fields]
_ACCEPTING: Final = (
    sa.select(*_COLUMNS)
    .where(SIGNING_KEY.c.key_id == sa.bindparam("asked"))
    .with_for_update(read=True)
)


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key before it is stored; see `storage.key_tables.SigningKey` for the fields."""

    key_id: str
    owner: str
    kind: KeyKind
    alg: KeyAlgorithm
    public: str = ""
    sealed: str = field(repr=False)
    master: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Key(NewKey):
    """One key as plain values."""

    created_at: datetime
    retiring_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str

    @property
    def life(self) -> Life:
        return Life(
            created_at=self.created_at,
            expires_at=self.expires_at,
            retiring_at=self.retiring_at,
            revoked_at=self.revoked_at,
        )


async def add(unit: Unit, new: NewKey, *, by: str, now: datetime, overlap: timedelta) -> Key:
    """Store a key that signs from now on; the one that its owner signed with until now verifies
    for `overlap` more. `by` says who made it, for the audit.
    """
    await one_at_a_time(unit, f"signing_key:{new.owner}")
    before = await _signing(unit, new.owner)
    if before is not None:
        await retire(unit, before.key_id, until=now + overlap, by=by, now=now)
    values = {
        "key_id": new.key_id,
        "owner": new.owner,
        "kind": str(new.kind),
        "alg": str(new.alg),
        "public": new.public,
        "sealed": new.sealed,
        "master": new.master,
        "created_at": now,
        "expires_at": new.expires_at,
        "revoked_by": "",
    }
    row = await run(unit, sa.insert(SIGNING_KEY).values(**values).returning(*_COLUMNS))
    key = _key(row.mappings().one())
    instead = f" instead of {before.key_id}" if before else ""
    await _audit(unit, key, f"made{instead}, by {by}", now)
    return key


async def verifying(unit: Unit, key_id: str, now: datetime) -> Key | None:
    """The key of this id if it may verify at `now`; None when there is none, or it is revoked,
    expired, or past its overlap: `why_not` tells.

    Call it in the (writing) transaction that accepts what was signed. On PostgreSQL nobody can
    revoke the key before that ends; on SQLite nobody can write.
    """
    row = (await run(unit, _ACCEPTING, {"asked": key_id})).mappings().one_or_none()
    key = None if row is None else _key(row)
    return key if key is not None and key.life.may_verify(now) else None


async def why_not(unit: Unit, key_id: str, now: datetime) -> str:
    """Why `verifying` gives nothing, as a sentence for audit and answer; empty when it does."""
    key = await read(unit, key_id)
    if key is None:
        return "nobody has a key of that id"
    why = key.life.why_not(now)
    return f"key {key_id} of {key.owner} {why}" if why else ""


async def current(unit: Unit, owner: str, now: datetime) -> Key | None:
    """The one key that `owner` signs with at `now`; None when it has none that still lives."""
    key = await _signing(unit, owner)
    return key if key is not None and key.life.state(now) is KeyState.SIGNS else None


async def read(unit: Unit, key_id: str) -> Key | None:
    query = sa.select(*_COLUMNS).where(SIGNING_KEY.c.key_id == key_id)
    row = (await run(unit, query)).mappings().one_or_none()
    return None if row is None else _key(row)


async def of_owner(unit: Unit, owner: str) -> list[Key]:
    """Every key that `owner` ever had, oldest first."""
    return await _many(unit, SIGNING_KEY.c.owner == owner)


async def every(unit: Unit) -> list[Key]:
    """Every key there is, by owner, oldest first."""
    return await _many(unit)


async def retire(unit: Unit, key_id: str, *, until: datetime, by: str, now: datetime) -> Key | None:
    """Let a key sign no more, and verify until then; None when it did not sign (any more)."""
    c = SIGNING_KEY.c
    change = sa.update(SIGNING_KEY).where(
        c.key_id == key_id, c.retiring_at.is_(None), c.revoked_at.is_(None)
    )
    key = await _changed(unit, change.values(retiring_at=until))
    if key is not None:
        good = f"verifies until {key.life.ends_at:%Y-%m-%d %H:%M} UTC"
        await _audit(unit, key, f"signs no more, {good}; by {by}", now)
    return key


async def revoke(
    unit: Unit, key_id: str, *, by: str, now: datetime, reason: str = ""
) -> Key | None:
    """Let a key verify nothing from this commit on, for good; None when there is no such key, or
    it was revoked before.
    """
    c = SIGNING_KEY.c
    change = sa.update(SIGNING_KEY).where(c.key_id == key_id, c.revoked_at.is_(None))
    key = await _changed(unit, change.values(revoked_at=now, revoked_by=by))
    if key is not None:
        await _audit(unit, key, f"revoked by {by}" + (f": {reason}" if reason else ""), now)
    return key


async def reseal(
    unit: Unit, key: Key, *, sealed: str, master: str, by: str, now: datetime
) -> Key | None:
    """The same secret under another master key; None when `key` was sealed anew meanwhile."""
    c = SIGNING_KEY.c
    change = sa.update(SIGNING_KEY).where(c.key_id == key.key_id, c.sealed == key.sealed)
    changed = await _changed(unit, change.values(sealed=sealed, master=master))
    if changed is not None:
        await _audit(unit, changed, f"sealed anew by {by}", now)
    return changed


async def _signing(unit: Unit, owner: str) -> Key | None:
    c = SIGNING_KEY.c
    found = await _many(unit, c.owner == owner, c.retiring_at.is_(None), c.revoked_at.is_(None))
    return found[0] if found else None


async def _many(unit: Unit, *where: sa.ColumnElement[bool]) -> list[Key]:
    c = SIGNING_KEY.c
    query = sa.select(*_COLUMNS).where(*where).order_by(c.owner, c.created_at, c.key_id)
    return [_key(row) for row in (await run(unit, query)).mappings()]


async def _changed(unit: Unit, change: sa.Update) -> Key | None:
    row = (await run(unit, change.returning(*_COLUMNS))).mappings().one_or_none()
    return None if row is None else _key(row)


async def _audit(unit: Unit, key: Key, reason: str, now: datetime) -> None:
    await audit.append(
        unit,
        agent=key.owner,
        at=now,
        verb="key",
        target=f"key:{key.key_id}",
        outcome="done",
        reason=reason,
        details={
            "alg": str(key.alg),
            "public": key.public,
            "master": key.master,
            "expires_at": key.expires_at.isoformat(),
            "state": str(key.life.state(now)),
        },
        trace_id="",
    )


def _key(row: Mapping[Any, Any]) -> Key:
    values = {**row, "kind": KeyKind(row["kind"]), "alg": KeyAlgorithm(row["alg"])}
    return Key(**values)
