"""What a question to people is about, what it cost, who waits for it, and who was told of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TEXTS = ("reason", "attempt", "currency", "completed_by", "waiter", "reference", "told")
_SUMS = ("cost_micros", "return_micros", "paid_micros", "earned_micros")
_TIMES = ("completed_at", "awaited_until")


def upgrade() -> None:
    for name in _TEXTS:
        _add(sa.Column(name, sa.String(), nullable=False, server_default=""))
    _add(sa.Column("sources", sa.String(), nullable=False, server_default="[]"))
    for name in _SUMS:
        _add(sa.Column(name, sa.BigInteger(), nullable=True))
    for name in _TIMES:
        _add(sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "request_notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proof", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["human_request.id"], name="fk_request_notice_request_id_human_request"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_request_notice"),
        sa.UniqueConstraint(
            *("request_id", "step", "round", "recipient"),
            name="uq_request_notice_request_id_step_round_recipient",
        ),
    )


def _add(column: sa.Column[Any]) -> None:
    op.add_column("human_request", column)


def downgrade() -> None:
    op.drop_table("request_notice")
    for name in (*_TEXTS, "sources", *_SUMS, *_TIMES):
        op.drop_column("human_request", name)
