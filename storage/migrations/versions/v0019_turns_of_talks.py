"""A talk is one of its session and trace: the two as one word beside them are gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_OLD = "uq_talk_opener_peer_turn"
_NEW = "uq_talk_opener_peer_session_trace_id"


def upgrade() -> None:
    with op.batch_alter_table("talk") as talk:
        talk.drop_constraint(_OLD, type_="unique")
        talk.drop_column("turn")
        talk.create_unique_constraint(_NEW, ["opener", "peer", "session", "trace_id"])


def downgrade() -> None:
    with op.batch_alter_table("talk") as talk:
        talk.drop_constraint(_NEW, type_="unique")
        talk.add_column(sa.Column("turn", sa.String(), nullable=False, server_default=""))
    op.execute("UPDATE talk SET turn = session || ' ' || trace_id")
    with op.batch_alter_table("talk") as talk:
        talk.alter_column("turn", server_default=None)
        talk.create_unique_constraint(_OLD, ["opener", "peer", "turn"])
