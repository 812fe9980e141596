"""Agents hand each other work; a line may say what came of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delegation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("passed_to", sa.String(), nullable=False),
        sa.Column("instruction", sa.String(), nullable=False),
        sa.Column("chain", sa.String(), nullable=False),
        sa.Column("hops", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("chosen", sa.String(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("root_id", sa.Integer(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("claim", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acted", sa.Boolean(), nullable=False),
        sa.Column("progress", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("cost_nusd", sa.BigInteger(), nullable=False),
        sa.Column("deliver_to", sa.String(), nullable=False),
        sa.Column("deliver", sa.String(), nullable=False),
        sa.Column("deliver_by", sa.String(), nullable=False),
        sa.Column("delivered_id", sa.String(), nullable=False),
        sa.Column("delivered_proof", sa.String(), nullable=False),
        sa.Column("trace_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["delegation.id"], name="fk_delegation_parent_id_delegation"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_delegation"),
        sa.UniqueConstraint("code", name="uq_delegation_code"),
        sa.UniqueConstraint(
            "asked_by", "idempotency_key", name="uq_delegation_asked_by_idempotency_key"
        ),
    )
    for columns in (
        ["agent", "state", "priority", "id"],
        ["state", "expires_at"],
        ["deliver_by", "deliver"],
        ["parent_id"],
        ["root_id"],
    ):
        op.create_index(f"ix_delegation_{'_'.join(columns)}", "delegation", columns)
    op.add_column("reply", sa.Column("delegation_id", sa.Integer(), nullable=True))
    op.create_index("ix_reply_delegation_id", "reply", ["delegation_id"])


def downgrade() -> None:
    op.drop_index("ix_reply_delegation_id", "reply")
    op.drop_column("reply", "delegation_id")
    op.drop_table("delegation")
