"""Signed checkpoints of the audit chains, append-only like the chains themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SQLITE = tuple(
    f"CREATE TRIGGER checkpoint_no_{change.lower()} BEFORE {change} ON checkpoint "
    "BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END"
    for change in ("UPDATE", "DELETE")
)
_POSTGRESQL = (
    (
        "CREATE TRIGGER checkpoint_append_only BEFORE UPDATE OR DELETE ON checkpoint "
        "FOR EACH ROW EXECUTE FUNCTION audit_append_only()"
    ),
    (
        "CREATE TRIGGER checkpoint_no_truncate BEFORE TRUNCATE ON checkpoint "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
    ),
)


def upgrade() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_checkpoint"),
        sa.UniqueConstraint("agent", "seq", name="uq_checkpoint_agent_seq"),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRESQL if postgresql else _SQLITE:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("checkpoint")
