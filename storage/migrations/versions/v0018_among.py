"""A delegation says of which agents one was to be chosen; when it was claimed, nobody reads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delegation", sa.Column("among", sa.String(), nullable=False, server_default=""))
    op.drop_column("delegation", "claimed_at")


def downgrade() -> None:
    op.add_column("delegation", sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_column("delegation", "among")
