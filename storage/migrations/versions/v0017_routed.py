"""What somebody was chosen for and nobody has taken yet is found at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    untaken = sa.text("state = 'queued' AND chosen != ''")
    op.create_index(
        "ix_delegation_routed",
        "delegation",
        ["sender"],
        sqlite_where=untaken,
        postgresql_where=untaken,
    )


def downgrade() -> None:
    op.drop_index("ix_delegation_routed", table_name="delegation")
