"""The ledger's own two acts: credits are minted, and paid straight to somebody. What is paid on
delivery goes through a hold (`storage.holds`). All of it inside a durable unit of work.
"""

from __future__ import annotations

from datetime import datetime

from storage.acts import Permit
from storage.ledger_orders import TREASURY, Kind, Mint, Pay, check, check_owner
from storage.ledger_values import Transfer
from storage.transfers import NewTransfer, alone, open_account, post
from storage.unit import Unit


async def mint(unit: Unit, permit: Permit, order: Mint, *, now: datetime, now_s: float) -> Transfer:
    """Make credits: the treasury goes further below zero, the account is opened if need be. A
    repeat gives what was made the first time.

    Raises `PermitRefused` and `LedgerRefused`.
    """
    check(permit, order, now_s=now_s)
    await alone(unit)
    for account in (TREASURY, order.account):
        await open_account(unit, account, now)
    new = NewTransfer(
        code=order.code,
        kind=Kind.MINT,
        debit=TREASURY,
        credit=order.account,
        amount_microcredits=order.microcredits,
    )
    return await post(unit, permit, new, now)


async def pay(unit: Unit, permit: Permit, order: Pay, *, now: datetime, now_s: float) -> Transfer:
    """Move credits at once and for good; a repeat gives what was moved the first time.

    Raises `PermitRefused` and `LedgerRefused`.
    """
    check(permit, order, now_s=now_s)
    check_owner(permit, order.payer)
    await alone(unit)
    await open_account(unit, order.payee, now)
    new = NewTransfer(
        code=order.code,
        kind=Kind.PAY,
        debit=order.payer,
        credit=order.payee,
        amount_microcredits=order.microcredits,
    )
    return await post(unit, permit, new, now)
