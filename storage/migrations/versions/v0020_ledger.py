"""The ledger. What constraints cannot say, triggers say: `storage.migrations.ledger_triggers`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.migrations.ledger_triggers import FUNCTIONS, triggers

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_OPEN = sa.text(
    "captured_microcredits + fees_microcredits + voided_microcredits < held_microcredits"
)
_FIRST = sa.text("kind = 'hold'")


def upgrade() -> None:
    _account()
    _hold()
    _transfer()
    _entry()
    for statement in triggers(op.get_bind().dialect.name):
        op.execute(statement)


def downgrade() -> None:
    for table in ("entry", "transfer", "hold", "account"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for function in FUNCTIONS:
            op.execute(f"DROP FUNCTION {function}")


def _sum(name: str) -> sa.Column[int]:
    return sa.Column(f"{name}_microcredits", sa.BigInteger(), nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _account() -> None:
    op.create_table(
        "account",
        _text("name"),
        _text("kind"),
        _time("opened_at"),
        sa.CheckConstraint(
            "(kind IN ('treasury', 'escrow', 'fees') AND name = kind) OR "
            "(kind IN ('agent', 'person') AND name <> kind || ':' "
            "AND substr(name, 1, length(kind) + 1) = kind || ':')",
            name="named_by_kind",
        ),
        sa.PrimaryKeyConstraint("name", name="pk_account"),
    )


def _hold() -> None:
    op.create_table(
        "hold",
        sa.Column("id", sa.Integer(), nullable=False),
        _text("code"),
        _text("payer"),
        _text("payee"),
        _text("arbiter"),
        *map(_sum, ("amount", "held", "captured", "fees", "voided", "refunded")),
        _time("deadline"),
        _time("opened_at"),
        _text("trace_id"),
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
        sa.ForeignKeyConstraint(["payer"], ["account.name"], name="fk_hold_payer_account"),
        sa.ForeignKeyConstraint(["payee"], ["account.name"], name="fk_hold_payee_account"),
        sa.PrimaryKeyConstraint("id", name="pk_hold"),
        sa.UniqueConstraint("code", name="uq_hold_code"),
    )
    op.create_index(
        "ix_hold_deadline", "hold", ["deadline"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )


def _transfer() -> None:
    op.create_table(
        "transfer",
        sa.Column("id", sa.Integer(), nullable=False),
        *map(_text, ("code", "kind", "debit", "credit")),
        _sum("amount"),
        sa.Column("hold_id", sa.Integer(), nullable=True),
        *map(_text, ("agent", "audit_hash", "reason")),
        _time("at"),
        _text("trace_id"),
        sa.CheckConstraint(
            "amount_microcredits BETWEEN 1 AND 1000000000000000 "
            "AND amount_microcredits = CAST(amount_microcredits AS BIGINT)",
            name="amount",
        ),
        sa.CheckConstraint("debit <> credit", name="two_accounts"),
        sa.CheckConstraint(
            "(kind = 'mint') = (debit = 'treasury') AND credit <> 'treasury'",
            name="minted",
        ),
        sa.CheckConstraint(
            "(kind = 'hold') = (credit = 'escrow') "
            "AND (kind IN ('capture', 'fee', 'void')) = (debit = 'escrow')",
            name="through_escrow",
        ),
        sa.CheckConstraint("(kind IN ('mint', 'pay')) = (hold_id IS NULL)", name="of_a_hold"),
        sa.CheckConstraint(
            "kind IN ('mint', 'pay', 'hold', 'capture', 'fee', 'void', 'refund')",
            name="kind",
        ),
        sa.ForeignKeyConstraint(["debit"], ["account.name"], name="fk_transfer_debit_account"),
        sa.ForeignKeyConstraint(["credit"], ["account.name"], name="fk_transfer_credit_account"),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name="fk_transfer_hold_id_hold"),
        sa.PrimaryKeyConstraint("id", name="pk_transfer"),
        sa.UniqueConstraint("code", name="uq_transfer_code"),
    )
    op.create_index("ix_transfer_hold_id", "transfer", ["hold_id"])
    op.create_index(
        "uq_transfer_authorised",
        "transfer",
        ["hold_id"],
        unique=True,
        sqlite_where=_FIRST,
        postgresql_where=_FIRST,
    )


def _entry() -> None:
    op.create_table(
        "entry",
        _text("account"),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("transfer_id", sa.Integer(), nullable=False),
        _sum("amount"),
        _sum("balance"),
        sa.CheckConstraint(
            "balance_microcredits >= 0 OR account = 'treasury'", name="not_negative"
        ),
        sa.CheckConstraint(
            "balance_microcredits BETWEEN -9000000000000000000 AND 9000000000000000000",
            name="in_range",
        ),
        sa.ForeignKeyConstraint(["account"], ["account.name"], name="fk_entry_account_account"),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfer.id"], name="fk_entry_transfer_id_transfer"
        ),
        sa.PrimaryKeyConstraint("account", "seq", name="pk_entry"),
        sa.UniqueConstraint("transfer_id", "account", name="uq_entry_transfer_id_account"),
    )
