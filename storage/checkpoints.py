"""Signed checkpoints: what stood at the end of an audit chain at some moment, vouched for by the
supervisor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from storage.core import AUDIT, CHECKPOINT, run
from storage.unit import Unit


@dataclass(frozen=True)
class Head:
    """The newest entry of one agent's chain."""

    agent: str
    seq: int
    hash: str

    @property
    def message(self) -> bytes:
        """The bytes that are signed."""
        return f"parley checkpoint 1\n{self.agent}\n{self.seq}\n{self.hash}".encode()


async def unsigned(unit: Unit) -> list[Head]:
    """Heads of the chains that have grown since their last checkpoint."""
    a, c = AUDIT.c, CHECKPOINT.c
    newest = sa.select(a.agent, sa.func.max(a.seq).label("seq")).group_by(a.agent).subquery()
    signed = sa.exists().where(c.agent == newest.c.agent, c.seq == newest.c.seq)
    query = (
        sa.select(a.agent, a.seq, a.hash)
        .join(newest, sa.and_(a.agent == newest.c.agent, a.seq == newest.c.seq))
        .where(~signed)
        .order_by(a.agent)
    )
    return [Head(*row) for row in await run(unit, query)]


async def add(unit: Unit, head: Head, *, at: datetime, key: str, signature: str) -> None:
    """Store one signature (base64) made by `key` (base64 public key)."""
    values = {"agent": head.agent, "seq": head.seq, "hash": head.hash}
    await run(unit, sa.insert(CHECKPOINT).values(**values, at=at, key=key, signature=signature))


async def broken(unit: Unit, agent: str, genuine: Callable[[str, str, bytes], bool]) -> str | None:
    """Why the newest checkpoint of `agent` does not hold; None when it does, or there is none.

    `genuine(key, signature, message)` checks one signature. The chain's own links are
    `storage.audit.verify`'s to check.
    """
    c = CHECKPOINT.c
    newest = sa.select(c.agent, c.seq, c.hash, c.key, c.signature).where(c.agent == agent)
    row = (await run(unit, newest.order_by(c.seq.desc()).limit(1))).first()
    if row is None:
        return None
    head = Head(row.agent, row.seq, row.hash)
    if not genuine(row.key, row.signature, head.message):
        return f"the checkpoint at entry {head.seq} of {agent}'s chain was not signed by its key"
    entry = sa.select(AUDIT.c.hash).where(AUDIT.c.agent == agent, AUDIT.c.seq == head.seq)
    found = (await run(unit, entry)).scalar_one_or_none()
    if found != head.hash:
        what = "is missing" if found is None else "is another one"
        return f"entry {head.seq} of {agent}'s chain {what}, though it was signed"
    return None
