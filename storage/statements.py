"""What accounts have, and how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from storage.core import ACCOUNT, ENTRY, HOLD, TRANSFER, run
from storage.unit import Unit

_E: Final = ENTRY.c
_T: Final = TRANSFER.c
_LATEST: Final = (
    sa.select(_E.balance_microcredits)
    .where(_E.account == ACCOUNT.c.name)
    .order_by(_E.seq.desc())
    .limit(1)
    .scalar_subquery()
)
_BALANCES: Final = sa.select(ACCOUNT.c.name, sa.func.coalesce(_LATEST, 0)).order_by(ACCOUNT.c.name)
_LINES: Final = (
    sa.select(
        _E.seq,
        _T.at,
        _T.kind,
        sa.case((_T.debit == _E.account, _T.credit), else_=_T.debit).label("other"),
        _E.amount_microcredits,
        _E.balance_microcredits,
        _T.code,
        sa.func.coalesce(HOLD.c.code, "").label("hold"),
        _T.agent,
        _T.reason,
    )
    .join_from(ENTRY, TRANSFER, _T.id == _E.transfer_id)
    .outerjoin(HOLD, HOLD.c.id == _T.hold_id)
    .where(_E.account == sa.bindparam("named"))
    .order_by(_E.seq.desc())
    .limit(sa.bindparam("most"))
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One entry of an account."""

    seq: int
    at: datetime
    kind: str
    #: the account on the other side
    other: str
    #: below zero: it went out
    amount_microcredits: int
    #: after it
    balance_microcredits: int
    code: str
    #: the hold that it was for; empty: for none
    hold: str
    #: whose act it was, and why
    agent: str
    reason: str


async def balances(unit: Unit) -> dict[str, int]:
    """Every account's micro-credits, by name, as of one moment: they add up to nothing."""
    return {name: int(balance) for name, balance in (await run(unit, _BALANCES)).all()}


async def statement(unit: Unit, account: str, limit: int = 100) -> list[Line]:
    """The newest `limit` entries of an account, oldest first."""
    rows = (await run(unit, _LINES, {"named": account, "most": limit})).mappings().all()
    return [Line(**row) for row in reversed(rows)]
