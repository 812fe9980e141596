"""How far what is posted unasked has got, so that nothing is told twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "posting",
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("pending", sa.String(), nullable=False),
        sa.Column("trace_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("topic", name="pk_posting"),
    )


def downgrade() -> None:
    op.drop_table("posting")
