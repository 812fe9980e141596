"""Events, who wants to be told of them, and what agents know together, with its full-text index.

The index is made as the one over talk (version 2): FTS5 fed by triggers, or a generated `tsvector`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_REMOVE = (
    "INSERT INTO knowledge_fts(knowledge_fts, rowid, title, text, topic) "
    "VALUES ('delete', old.id, old.title, old.text, old.topic);"
)
_ADD = (
    "INSERT INTO knowledge_fts(rowid, title, text, topic) "
    "VALUES (new.id, new.title, new.text, new.topic);"
)
_CHANGED = "UPDATE OF title, text, topic ON knowledge"
_SQLITE = (
    (
        "CREATE VIRTUAL TABLE knowledge_fts USING fts5(title, text, topic, content='knowledge', "
        "content_rowid='id', tokenize='porter unicode61 remove_diacritics 2')"
    ),
    f"CREATE TRIGGER knowledge_fts_insert AFTER INSERT ON knowledge BEGIN {_ADD} END",
    f"CREATE TRIGGER knowledge_fts_delete AFTER DELETE ON knowledge BEGIN {_REMOVE} END",
    f"CREATE TRIGGER knowledge_fts_update_old BEFORE {_CHANGED} BEGIN {_REMOVE} END",
    f"CREATE TRIGGER knowledge_fts_update_new AFTER {_CHANGED} BEGIN {_ADD} END",
)
_POSTGRESQL = (
    (
        "ALTER TABLE knowledge ADD COLUMN search tsvector GENERATED ALWAYS AS "
        "(to_tsvector('parley', title || ' ' || text || ' ' || topic)) STORED"
    ),
    "CREATE INDEX ix_knowledge_search ON knowledge USING gin (search)",
)


def upgrade() -> None:
    _events()
    _deliveries()
    _knowledge()
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRESQL if postgresql else _SQLITE:
        op.execute(statement)


def _events() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trace_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        sa.UniqueConstraint("number", name="uq_event_number"),
    )
    op.create_index("ix_event_at", "event", ["at"])
    op.create_table(
        "subscription",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quiet_from", sa.String(), nullable=False),
        sa.Column("quiet_until", sa.String(), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("batch_s", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscription"),
        sa.UniqueConstraint("receiver", "topic", name="uq_subscription_receiver_topic"),
    )


def _deliveries() -> None:
    op.create_table(
        "event_delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("subscription_id", sa.Integer(), nullable=False),
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("reply_id", sa.Integer(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name="fk_event_delivery_event_id_event"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name="fk_event_delivery_subscription_id_subscription",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_event_delivery"),
        sa.UniqueConstraint("event_id", "receiver", name="uq_event_delivery_event_id_receiver"),
    )
    for columns in (["receiver", "state", "id"], ["state", "subscription_id"]):
        op.create_index(f"ix_event_delivery_{'_'.join(columns)}", "event_delivery", columns)


def _knowledge() -> None:
    op.create_table(
        "knowledge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_by", sa.Integer(), nullable=True),
        sa.Column("trace_id", sa.String(), nullable=False),
        sa.CheckConstraint("confidence >= 0 AND confidence <= 1", name="ck_knowledge_confidence"),
        sa.ForeignKeyConstraint(
            ["superseded_by"], ["knowledge.id"], name="fk_knowledge_superseded_by_knowledge"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_knowledge"),
    )
    op.create_index("ix_knowledge_agent_title", "knowledge", ["agent", "title"])


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE knowledge DROP COLUMN search")
    else:
        for when in ("insert", "delete", "update_old", "update_new"):
            op.execute(f"DROP TRIGGER knowledge_fts_{when}")
        op.execute("DROP TABLE knowledge_fts")
    for name in ("knowledge", "event_delivery", "subscription", "event"):
        op.drop_table(name)
