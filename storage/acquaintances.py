"""Whom one agent talks with in private, and who may have tried to.

A bot on Discord is not told of private lines that it missed; it has to know whom to ask about.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage.core import MESSAGE, run
from storage.unit import Unit


async def last_private(
    unit: Unit, network: str, agent: str, before: datetime, *, people: int = 50
) -> dict[str, str | None]:
    """``user:<account>`` → the network's id of the newest line that this person said to `agent` in
    private and that was heard before then, None when all are younger; the people who spoke last.
    """
    c = MESSAGE.c
    here = (c.network == network, c.channel == f"nick:{agent}", c.msgid.is_not(None))
    talked = (
        sa.select(c.account)
        .where(*here, c.account.is_not(None))
        .group_by(c.account)
        .order_by(sa.func.max(c.id).desc())
        .limit(people)
    )
    found: dict[str, str | None] = {}
    for account in (await run(unit, talked)).scalars():
        own = sa.select(c.msgid).where(*here, c.account == account, c.heard_at < before)
        newest = await run(unit, own.order_by(c.id.desc()).limit(1))
        found[f"user:{account}"] = newest.scalar()
    return found


async def talkers(unit: Unit, network: str, since: datetime, *, people: int = 10) -> list[str]:
    """``user:<account>`` of people, no bots, who have spoken in channels since then, the last one
    first.
    """
    c = MESSAGE.c
    talked = (
        sa.select(c.account)
        .where(
            c.network == network,
            c.channel.not_like("nick:%"),
            c.account.is_not(None),
            c.agent.is_(None),
            c.hops == 0,
            c.said_at >= since,
        )
        .group_by(c.account)
        .order_by(sa.func.max(c.id).desc())
        .limit(people)
    )
    return [f"user:{account}" for account in (await run(unit, talked)).scalars()]
