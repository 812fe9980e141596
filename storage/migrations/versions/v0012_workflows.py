"""Runs of workflows; questions that several people have to say yes to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _runs()
    _steps()
    op.create_table(
        "request_vote",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("voter", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["human_request.id"], name="fk_request_vote_request_id_human_request"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_request_vote"),
        sa.UniqueConstraint("request_id", "voter", name="uq_request_vote_request_id_voter"),
    )
    op.add_column(
        "human_request", sa.Column("quorum", sa.Integer(), nullable=False, server_default="1")
    )


def _runs() -> None:
    op.create_table(
        "workflow_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("inputs", sa.String(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ending", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("output", sa.String(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("started_by", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("cancel_by", sa.String(), nullable=False),
        sa.Column("board", sa.String(), nullable=False),
        sa.Column("board_id", sa.String(), nullable=False),
        sa.Column("board_digest", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trace_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_run"),
        sa.UniqueConstraint("code", name="uq_workflow_run_code"),
        sa.UniqueConstraint(
            "started_by", "idempotency_key", name="uq_workflow_run_started_by_idempotency_key"
        ),
    )
    op.create_index("ix_workflow_run_state", "workflow_run", ["state"])
    op.create_index("ix_workflow_run_finished_at", "workflow_run", ["finished_at"])


def _steps() -> None:
    op.create_table(
        "workflow_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("item", sa.Integer(), nullable=False),
        sa.Column("undo", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("instruction", sa.String(), nullable=False),
        sa.Column("post_to", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("done_as", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("doer", sa.String(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("item >= -1 AND attempt >= 0", name="ck_workflow_step_counted"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["workflow_run.id"], name="fk_workflow_step_run_id_workflow_run"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_step"),
        sa.UniqueConstraint(
            "run_id", "step", "item", "undo", name="uq_workflow_step_run_id_step_item_undo"
        ),
    )


def downgrade() -> None:
    op.drop_column("human_request", "quorum")
    for name in ("request_vote", "workflow_step", "workflow_run"):
        op.drop_table(name)
