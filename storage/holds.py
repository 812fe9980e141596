"""Holds: two-phase transfers through escrow. Authorised once; captured up to the held sum, in
parts; what is left is voided; what was captured can be refunded. All of it inside a durable unit of
work.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from storage.acts import Permit
from storage.core import HOLD, run
from storage.errors import AlreadyDifferent, HoldResolved, LedgerRefused, NoSuchHold
from storage.ledger_orders import (
    ESCROW,
    FEES,
    Authorise,
    Capture,
    Kind,
    Refund,
    Sweep,
    Void,
    check,
    check_decider,
    check_owner,
)
from storage.ledger_tables import OPEN
from storage.ledger_values import Hold, Transfer
from storage.transfers import NewTransfer, alone, by_code, must_have, open_account, post, repeated
from storage.unit import Unit

_C: Final = HOLD.c
_COLUMNS: Final = [_C[each.name] for each in fields(Hold)]
_EMPTY: Final = tuple(
    f"{figure}_microcredits" for figure in ("held", "captured", "fees", "voided", "refunded")
)
_BY_CODE: Final = sa.select(*_COLUMNS).where(_C.code == sa.bindparam("named"))
_ADD: Final = sa.insert(HOLD).returning(_C.id)


async def find(unit: Unit, code: str) -> Hold | None:
    row = (await run(unit, _BY_CODE, {"named": code})).mappings().first()
    return None if row is None else Hold(**row)


async def authorise(
    unit: Unit, permit: Permit, order: Authorise, *, now: datetime, now_s: float
) -> Hold:
    """Set credits of the payer aside. A repeat gives the hold as it is now, and its first deadline
    stays.

    Raises `PermitRefused` and `LedgerRefused`.
    """
    check(permit, order, now_s=now_s)
    check_owner(permit, order.payer)
    await alone(unit)
    before = await find(unit, order.code)
    if before is not None:
        asked = (order.payer, order.payee, order.arbiter, order.microcredits)
        if asked != (before.payer, before.payee, before.arbiter, before.amount_microcredits):
            raise AlreadyDifferent(f"there is another hold {order.code}, with other content")
        return before
    if order.deadline <= now:
        raise LedgerRefused("the deadline of a hold lies ahead")
    await must_have(unit, order.payer, order.microcredits)
    for account in (ESCROW, order.payee):
        await open_account(unit, account, now)
    values: dict[str, Any] = {
        **dict.fromkeys(_EMPTY, 0),
        "code": order.code,
        "payer": order.payer,
        "payee": order.payee,
        "arbiter": order.arbiter,
        "amount_microcredits": order.microcredits,
        "deadline": order.deadline,
        "opened_at": now,
        "trace_id": permit.act.trace_id,
    }
    hold_id = (await run(unit, _ADD, values)).scalar_one()
    new = NewTransfer(
        code=f"{order.code}/hold",
        kind=Kind.HOLD,
        debit=order.payer,
        credit=ESCROW,
        amount_microcredits=order.microcredits,
        hold_id=hold_id,
    )
    await post(unit, permit, new, now)
    return Hold(**values | {"id": hold_id, "held_microcredits": order.microcredits})


async def capture(
    unit: Unit, permit: Permit, order: Capture, *, now: datetime, now_s: float
) -> Hold:
    """Give the payee part of what is held, or all of it; a repeat changes nothing.

    Raises `HoldResolved` when less is left or the deadline has passed, `PermitRefused` and
    `LedgerRefused`. It is for the payer to decide, or for the arbiter.
    """
    check(permit, order, now_s=now_s)
    await alone(unit)
    hold = await _found(unit, order.hold)
    # Who is to be paid does not decide that the work is done.
    check_decider(permit, hold, hold.payer)
    payment = NewTransfer(
        code=order.code,
        kind=Kind.CAPTURE,
        debit=ESCROW,
        credit=hold.payee,
        amount_microcredits=order.microcredits - order.fee_microcredits,
        hold_id=hold.id,
    )
    if await repeated(unit, payment) is not None:
        await _must_be_fee(unit, order)
        return hold
    if now >= hold.deadline:
        raise HoldResolved(f"the deadline of {hold.code} has passed")
    if order.microcredits > hold.left_microcredits:
        raise HoldResolved(f"{hold.code} has {hold.left_microcredits} micro-credits left")
    await post(unit, permit, payment, now)
    if order.fee_microcredits:
        await open_account(unit, FEES, now)
        fee = NewTransfer(
            code=f"{order.code}/fee",
            kind=Kind.FEE,
            debit=ESCROW,
            credit=FEES,
            amount_microcredits=order.fee_microcredits,
            hold_id=hold.id,
        )
        await post(unit, permit, fee, now)
    return replace(
        hold,
        captured_microcredits=hold.captured_microcredits + payment.amount_microcredits,
        fees_microcredits=hold.fees_microcredits + order.fee_microcredits,
    )


async def void(unit: Unit, permit: Permit, order: Void, *, now: datetime, now_s: float) -> Hold:
    """Give the payer back what is left; a repeat changes nothing. Both sides may, and the arbiter.

    Raises `HoldResolved` when nothing is left, `PermitRefused` and `LedgerRefused`.
    """
    check(permit, order, now_s=now_s)
    await alone(unit)
    hold = await _found(unit, order.hold)
    check_decider(permit, hold, hold.payer, hold.payee)
    if hold.voided_microcredits:
        return hold
    if not hold.left_microcredits:
        raise HoldResolved(f"{hold.code} is captured: only a refund gives anything back")
    return await _voided(unit, permit, hold, now)


async def refund(
    unit: Unit, permit: Permit, order: Refund, *, now: datetime, now_s: float
) -> Transfer:
    """Give the payer back part of what the payee got, from what the payee has now. Fees stay.

    Raises `HoldResolved` for more than that, `TooFewCredits`, `PermitRefused` and `LedgerRefused`.
    """
    check(permit, order, now_s=now_s)
    await alone(unit)
    hold = await _found(unit, order.hold)
    check_owner(permit, hold.payee)
    new = NewTransfer(
        code=order.code,
        kind=Kind.REFUND,
        debit=hold.payee,
        credit=hold.payer,
        amount_microcredits=order.microcredits,
        hold_id=hold.id,
    )
    most = hold.refundable_microcredits
    if await repeated(unit, new) is None and order.microcredits > most:
        raise HoldResolved(f"of {hold.code} {most} micro-credits can be refunded")
    return await post(unit, permit, new, now)


async def any_overdue(unit: Unit, now: datetime) -> bool:
    """Whether something is held beyond its deadline."""
    found = await run(unit, sa.select(_C.id).where(OPEN, _C.deadline <= now).limit(1))
    return found.first() is not None


async def sweep(unit: Unit, permit: Permit, *, now: datetime, now_s: float) -> list[Hold]:
    """Void every hold whose deadline has passed; gives them, oldest deadline first."""
    check(permit, Sweep(), now_s=now_s)
    await alone(unit)
    query = sa.select(*_COLUMNS).where(OPEN, _C.deadline <= now).order_by(_C.deadline, _C.id)
    overdue = [Hold(**row) for row in (await run(unit, query)).mappings().all()]
    return [await _voided(unit, permit, hold, now) for hold in overdue]


async def _must_be_fee(unit: Unit, order: Capture) -> None:
    """The fee is a transfer of its own: the same payment with another fee is another capture."""
    fee = await by_code(unit, f"{order.code}/fee")
    if (0 if fee is None else fee.amount_microcredits) != order.fee_microcredits:
        raise AlreadyDifferent(f"there is another capture {order.code}, with another fee")


async def _voided(unit: Unit, permit: Permit, hold: Hold, now: datetime) -> Hold:
    back = NewTransfer(
        code=f"{hold.code}/void",
        kind=Kind.VOID,
        debit=ESCROW,
        credit=hold.payer,
        amount_microcredits=hold.left_microcredits,
        hold_id=hold.id,
    )
    await post(unit, permit, back, now)
    return replace(hold, voided_microcredits=back.amount_microcredits)


async def _found(unit: Unit, code: str) -> Hold:
    hold = await find(unit, code)
    if hold is None:
        raise NoSuchHold(f"there is no hold {code}")
    return hold
