"""Transfers: credits from one account to another, written once. The rows, for `storage.ledger` and
`storage.holds`; entries and balances come from them by triggers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storage.acts import Permit
from storage.core import ACCOUNT, ENTRY, TRANSFER, one_at_a_time, run
from storage.errors import AlreadyDifferent, LedgerRefused, NoSuchAccount, TooFewCredits
from storage.ledger_orders import TREASURY, VERBS, Kind
from storage.ledger_values import Transfer
from storage.unit import Unit

#: who holds this in a transaction moves credits alone (`one_at_a_time`): most transfers pass the
#: escrow account anyway. It is taken behind the lock of an audit chain, never before one.
LEDGER: Final = "ledger"
_C: Final = TRANSFER.c
_COLUMNS: Final = [_C[each.name] for each in fields(Transfer)]
_BY_CODE: Final = sa.select(*_COLUMNS).where(_C.code == sa.bindparam("named"))
_ADD: Final = sa.insert(TRANSFER).returning(_C.id)
# A statement that is put together once takes a tenth of the time of one put together each time.
_OPENING: Final = {
    name: dialect.insert(ACCOUNT).on_conflict_do_nothing(index_elements=["name"])
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql))
}
_IS_OPEN: Final = sa.select(ACCOUNT.c.name).where(ACCOUNT.c.name == sa.bindparam("named"))
_BALANCE: Final = (
    sa.select(ENTRY.c.balance_microcredits)
    .where(ENTRY.c.account == sa.bindparam("named"))
    .order_by(ENTRY.c.seq.desc())
    .limit(1)
)


@dataclass(frozen=True, kw_only=True)
class NewTransfer:
    code: str
    kind: Kind
    debit: str
    credit: str
    amount_microcredits: int
    hold_id: int | None = None

    def is_content_of(self, transfer: Transfer) -> bool:
        """Whether the transfer is this one: when, why and by whose act it was made may differ."""
        return all(getattr(transfer, name) == getattr(self, name) for name in vars(self))


async def alone(unit: Unit) -> None:
    """Have the ledger to oneself until the transaction ends; raises `LedgerRefused` where that
    would not be on disk once it is committed.
    """
    if not unit.durable:
        raise LedgerRefused("credits move in a durable transaction only")
    await one_at_a_time(unit, LEDGER)


async def by_code(unit: Unit, code: str) -> Transfer | None:
    row = (await run(unit, _BY_CODE, {"named": code})).mappings().first()
    return None if row is None else Transfer(**row)


async def repeated(unit: Unit, new: NewTransfer) -> Transfer | None:
    """What was made under this code before; raises `AlreadyDifferent` when that was not this."""
    before = await by_code(unit, new.code)
    if before is not None and not new.is_content_of(before):
        raise AlreadyDifferent(f"there is another transfer {new.code}, with other content")
    return before


async def post(unit: Unit, permit: Permit, new: NewTransfer, now: datetime) -> Transfer:
    """Write it, or find it where it was written before. Who calls it has the ledger `alone`, has
    opened the credited account, and has checked that the permit is for this; that it is for such a
    thing is checked here again.

    Raises `NoSuchAccount`, `TooFewCredits` and `AlreadyDifferent`.
    """
    if permit.act.verb not in VERBS[new.kind]:
        raise LedgerRefused(f"a {new.kind} does not come about by a {permit.act.verb}")
    before = await repeated(unit, new)
    if before is not None:
        return before
    if new.debit != TREASURY:
        await must_have(unit, new.debit, new.amount_microcredits)
    values: dict[str, Any] = {
        **vars(new),
        "kind": str(new.kind),
        "agent": permit.act.agent,
        "audit_hash": permit.audit_hash,
        "reason": permit.act.reason,
        "at": now,
        "trace_id": permit.act.trace_id,
    }
    return Transfer(id=(await run(unit, _ADD, values)).scalar_one(), **values)


async def balance(unit: Unit, account: str) -> int:
    """Micro-credits; none where nothing was ever moved."""
    return int((await run(unit, _BALANCE, {"named": account})).scalar() or 0)


async def open_account(unit: Unit, name: str, now: datetime) -> None:
    """Open it, unless it is open. `name` is as `storage.ledger_orders.owned` has it, or one of the
    three that are nobody's.
    """
    values = {"name": name, "kind": name.partition(":")[0], "opened_at": now}
    await run(unit, _OPENING[unit.dialect], values)


async def must_have(unit: Unit, account: str, microcredits: int) -> None:
    """Raises `NoSuchAccount` and `TooFewCredits`."""
    has = await balance(unit, account)
    if has >= microcredits:
        return
    if (await run(unit, _IS_OPEN, {"named": account})).first() is None:
        raise NoSuchAccount(f"there is no account {account}")
    raise TooFewCredits(f"{account} has {has} micro-credits, {microcredits} are needed")
