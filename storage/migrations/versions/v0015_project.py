"""The project log, and private talks of two agents, whose turns are delegations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "project_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("trace_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_project_entry"),
    )
    op.create_index("ix_project_entry_at", "project_entry", ["at"])
    op.create_index("ix_project_entry_kind_id", "project_entry", ["kind", "id"])
    op.create_table(
        "talk",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("opener", sa.String(), nullable=False),
        sa.Column("peer", sa.String(), nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("turn", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("trace_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_talk"),
        sa.UniqueConstraint("code", name="uq_talk_code"),
        sa.UniqueConstraint("opener", "peer", "turn", name="uq_talk_opener_peer_turn"),
    )
    op.add_column("delegation", sa.Column("talk", sa.String(), nullable=False, server_default=""))
    turns = sa.text("talk != ''")
    op.create_index(
        "ix_delegation_talk", "delegation", ["talk"], sqlite_where=turns, postgresql_where=turns
    )


def downgrade() -> None:
    op.drop_index("ix_delegation_talk", "delegation")
    op.drop_column("delegation", "talk")
    op.drop_table("talk")
    op.drop_table("project_entry")
