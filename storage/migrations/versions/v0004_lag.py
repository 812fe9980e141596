"""How late a line may have been read: who was stopped cannot say when it came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No batch: the search index hangs on this table by triggers, which a rebuilt one would lose.
    op.add_column("message", sa.Column("lag_s", sa.Float(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("message", "lag_s")
