"""The ledger: accounts, transfers, their entries, and holds. Money is integers in micro-credits.

As `storage.tables`: one class a noun, times are aware UTC, a test compares it with the migrations.
No row holds a balance that could be changed: a balance is what an account's last entry says, and
entries come from transfers by a trigger (migration 0020). Triggers also forbid to change or to
delete accounts, transfers and entries, and keep a hold's sums equal to its transfers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from storage.tables import utc_time

#: something of the hold is still in escrow
OPEN: Final = sa.text(
    "captured_microcredits + fees_microcredits + voided_microcredits < held_microcredits"
)
_FIRST: Final = sa.text("kind = 'hold'")


def _sum(**more: Any) -> Any:
    return Field(sa_type=sa.BigInteger, **more)


class Account(SQLModel, table=True):
    """Whose credits they are. The treasury alone is below zero: by all that it has minted."""

    __tablename__ = "account"
    __table_args__ = (
        sa.CheckConstraint(
            "(kind IN ('treasury', 'escrow', 'fees') AND name = kind) OR "
            "(kind IN ('agent', 'person') AND name <> kind || ':' "
            "AND substr(name, 1, length(kind) + 1) = kind || ':')",
            name="named_by_kind",
        ),
    )
    #: ``agent:captain``, ``person:discord:user:45``, ``treasury``, ``escrow``, ``fees``
    name: str = Field(primary_key=True)
    kind: str
    opened_at: datetime = utc_time()


class Hold(SQLModel, table=True):
    """Credits set aside in escrow: authorised once, then captured in parts, or voided."""

    __tablename__ = "hold"
    __table_args__ = (
        sa.UniqueConstraint("code"),
        sa.Index("ix_hold_deadline", "deadline", sqlite_where=OPEN, postgresql_where=OPEN),
        sa.CheckConstraint("payer <> payee", name="two_parties"),
        sa.CheckConstraint(
            "amount_microcredits > 0 AND held_microcredits IN (0, amount_microcredits)",
            name="held_at_once",
        ),
        sa.CheckConstraint(
            "captured_microcredits >= 0 AND fees_microcredits >= 0 AND voided_microcredits >= 0 "
            "AND captured_microcredits + fees_microcredits + voided_microcredits "
            "<= held_microcredits",
            name="captured_within_held",
        ),
        sa.CheckConstraint(
            "refunded_microcredits >= 0 AND refunded_microcredits <= captured_microcredits",
            name="refunded_within_captured",
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    #: what the deal calls it
    code: str
    payer: str = Field(foreign_key="account.name")
    payee: str = Field(foreign_key="account.name")
    #: agent that may decide besides the two; empty: none
    arbiter: str = ""
    #: what was authorised
    amount_microcredits: int = _sum()
    #: what its transfers come to: into escrow (nothing or all), from there to the payee, to the
    #: fees and back to the payer; and what the payee gave back afterwards
    held_microcredits: int = _sum(default=0)
    captured_microcredits: int = _sum(default=0)
    fees_microcredits: int = _sum(default=0)
    voided_microcredits: int = _sum(default=0)
    refunded_microcredits: int = _sum(default=0)
    #: what is left then goes back to the payer
    deadline: datetime = utc_time()
    opened_at: datetime = utc_time()
    trace_id: str


class Transfer(SQLModel, table=True):
    """Credits from one account to another, for ever."""

    __tablename__ = "transfer"
    __table_args__ = (
        sa.UniqueConstraint("code"),
        # A hold is authorised once.
        sa.Index(
            "uq_transfer_authorised",
            "hold_id",
            unique=True,
            sqlite_where=_FIRST,
            postgresql_where=_FIRST,
        ),
        sa.Index("ix_transfer_hold_id", "hold_id"),
        # A sum that is no integer would stay one in SQLite.
        sa.CheckConstraint(
            "amount_microcredits BETWEEN 1 AND 1000000000000000 "
            "AND amount_microcredits = CAST(amount_microcredits AS BIGINT)",
            name="amount",
        ),
        sa.CheckConstraint("debit <> credit", name="two_accounts"),
        sa.CheckConstraint(
            "(kind = 'mint') = (debit = 'treasury') AND credit <> 'treasury'", name="minted"
        ),
        sa.CheckConstraint(
            "(kind = 'hold') = (credit = 'escrow') "
            "AND (kind IN ('capture', 'fee', 'void')) = (debit = 'escrow')",
            name="through_escrow",
        ),
        sa.CheckConstraint("(kind IN ('mint', 'pay')) = (hold_id IS NULL)", name="of_a_hold"),
        sa.CheckConstraint(
            "kind IN ('mint', 'pay', 'hold', 'capture', 'fee', 'void', 'refund')", name="kind"
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    #: the same code with the same content is the same transfer
    code: str
    #: see `storage.ledger_orders.Kind`
    kind: str
    debit: str = Field(foreign_key="account.name")
    credit: str = Field(foreign_key="account.name")
    amount_microcredits: int = _sum()
    hold_id: int | None = Field(default=None, foreign_key="hold.id")
    #: agent whose act it was (the operators' is ``supervisor``), and the hash of the permit's entry
    #: in its chain
    agent: str
    audit_hash: str
    reason: str
    at: datetime = utc_time()
    trace_id: str


class Entry(SQLModel, table=True):
    """One side of a transfer, and the balance of its account after it."""

    __tablename__ = "entry"
    __table_args__ = (
        sa.UniqueConstraint("transfer_id", "account"),
        sa.CheckConstraint(
            "balance_microcredits >= 0 OR account = 'treasury'", name="not_negative"
        ),
        sa.CheckConstraint(
            "balance_microcredits BETWEEN -9000000000000000000 AND 9000000000000000000",
            name="in_range",
        ),
    )
    account: str = Field(primary_key=True, foreign_key="account.name")
    #: 1, 2, 3 … within the account
    seq: int = Field(primary_key=True, sa_type=sa.BigInteger)
    transfer_id: int = Field(foreign_key="transfer.id")
    #: below zero: it was debited
    amount_microcredits: int = _sum()
    balance_microcredits: int = _sum()
