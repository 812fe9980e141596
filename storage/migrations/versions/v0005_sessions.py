"""A session may begin anew, or have its earlier turns replaced by a digest; the turns stay."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("begun_after", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("digest_until", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("digest", sa.String(), nullable=False, server_default=""),
        sa.Column("digest_at", sa.DateTime(timezone=True), nullable=True),
    ):
        op.add_column("session", column)


def downgrade() -> None:
    for name in ("digest_at", "digest", "digest_until", "begun_after"):
        op.drop_column("session", name)
