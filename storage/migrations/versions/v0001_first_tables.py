"""The first tables: agents, messages, inbox, replies, sessions, latch, audit, nonces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=null)


def _number(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=null)


def _time(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def upgrade() -> None:
    _agents_and_leases()
    _messages()
    _inbox_and_replies()
    _sessions()
    _latch_audit_nonces()


def _agents_and_leases() -> None:
    op.create_table(
        "agent",
        _text("name"),
        _text("role"),
        _text("state"),
        _text("reason"),
        _text("holder", null=True),
        _number("epoch"),
        _time("lease_until", null=True),
        _number("pid", null=True),
        _text("hook_url", null=True),
        _text("irc_nick", null=True),
        _time("updated_at"),
        sa.PrimaryKeyConstraint("name", name="pk_agent"),
    )
    op.create_table(
        "lease",
        _text("name"),
        _text("holder"),
        _number("epoch"),
        _time("expires_at"),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    op.create_table(
        "heartbeat",
        _text("agent"),
        _text("tier"),
        _time("at"),
        _text("claim"),
        sa.PrimaryKeyConstraint("agent", "tier", name="pk_heartbeat"),
    )


def _messages() -> None:
    op.create_table(
        "message",
        _number("id"),
        _text("network"),
        _text("channel"),
        _text("sender"),
        _text("account", null=True),
        _text("kind"),
        _text("text"),
        _time("said_at"),
        _time("heard_at"),
        _text("heard_by"),
        _text("msgid", null=True),
        _text("agent", null=True),
        _number("hops"),
        _text("trace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.UniqueConstraint("network", "channel", "msgid", name="uq_message_network_channel_msgid"),
    )
    op.create_index("ix_message_network_channel_id", "message", ["network", "channel", "id"])
    op.create_index("ix_message_channel_said_at", "message", ["channel", "said_at"])
    op.create_index("ix_message_said_at", "message", ["said_at"])


def _inbox_and_replies() -> None:
    op.create_table(
        "inbox",
        _number("id"),
        _text("agent"),
        _number("message_id"),
        _text("session"),
        _number("priority"),
        _text("state"),
        _text("listener_of", null=True),
        _number("epoch", null=True),
        _time("queued_at"),
        _time("claimed_at", null=True),
        _time("settled_at", null=True),
        _text("note"),
        _text("trace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_inbox_message_id_message"),
        sa.UniqueConstraint("agent", "message_id", name="uq_inbox_agent_message_id"),
    )
    op.create_index("ix_inbox_agent_state", "inbox", ["agent", "state"])
    op.create_index("ix_inbox_message_id", "inbox", ["message_id"])
    op.create_table(
        "reply",
        _number("id"),
        _text("agent"),
        _number("inbox_id", null=True),
        _number("part"),
        _text("target"),
        _text("text"),
        _text("state"),
        _text("proof"),
        _number("hops"),
        _time("sending_at"),
        _time("settled_at", null=True),
        _text("trace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_reply"),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name="fk_reply_inbox_id_inbox"),
        sa.UniqueConstraint("inbox_id", "part", name="uq_reply_inbox_id_part"),
    )
    op.create_index("ix_reply_agent_state", "reply", ["agent", "state"])
    op.create_index("ix_reply_agent_sending_at", "reply", ["agent", "sending_at"])


def _sessions() -> None:
    op.create_table(
        "session",
        _number("id"),
        _text("agent"),
        _text("key"),
        _time("started_at"),
        _time("last_at"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sa.UniqueConstraint("agent", "key", name="uq_session_agent_key"),
    )
    op.create_table(
        "turn",
        _number("id"),
        _number("session_id"),
        _number("inbox_id", null=True),
        _text("asker"),
        _text("asked"),
        _text("answer"),
        _text("model"),
        _number("steps"),
        _time("started_at"),
        _time("finished_at"),
        _text("trace_id"),
        sa.PrimaryKeyConstraint("id", name="pk_turn"),
        sa.ForeignKeyConstraint(["session_id"], ["session.id"], name="fk_turn_session_id_session"),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name="fk_turn_inbox_id_inbox"),
    )
    op.create_index("ix_turn_session_id", "turn", ["session_id", "id"])
    op.create_index("ix_turn_inbox_id", "turn", ["inbox_id"])


def _latch_audit_nonces() -> None:
    op.create_table(
        "latch",
        _text("scope"),
        sa.Column("killed", sa.Boolean(), nullable=False),
        _text("by"),
        _text("door"),
        _text("reason"),
        _time("changed_at"),
        sa.PrimaryKeyConstraint("scope", name="pk_latch"),
    )
    op.create_table(
        "audit",
        _number("id"),
        _text("agent"),
        _number("seq"),
        _time("at"),
        _text("verb"),
        _text("target"),
        _text("outcome"),
        _text("reason"),
        _text("details"),
        _text("trace_id"),
        _text("previous_hash"),
        _text("hash"),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sa.UniqueConstraint("agent", "seq", name="uq_audit_agent_seq"),
    )
    op.create_table(
        "nonce",
        _text("value"),
        _time("expires_at"),
        sa.PrimaryKeyConstraint("value", name="pk_nonce"),
    )


def downgrade() -> None:
    for table in (
        *("nonce", "audit", "latch", "turn", "session", "reply", "inbox", "message"),
        *("heartbeat", "lease", "agent"),
    ):
        op.drop_table(table)
