"""Keys that agents and outside senders sign with; expired nonces are found by an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signing_key",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("alg", sa.String(), nullable=False),
        sa.Column("public", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("master", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retiring_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_signing_key"),
    )
    signs = sa.text("retiring_at IS NULL AND revoked_at IS NULL")
    op.create_index(
        "uq_signing_key_signs",
        "signing_key",
        ["owner"],
        unique=True,
        sqlite_where=signs,
        postgresql_where=signs,
    )
    op.create_index("ix_signing_key_owner", "signing_key", ["owner"])
    op.create_index("ix_nonce_expires_at", "nonce", ["expires_at"])


def downgrade() -> None:
    op.drop_index("ix_nonce_expires_at", "nonce")
    op.drop_table("signing_key")
