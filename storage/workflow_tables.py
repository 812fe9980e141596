"""The tables of workflows: runs, their steps, and what people said at a gate.

As `storage.tables`: one class a noun, times are aware UTC, a test compares it with the migrations.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from storage.tables import utc_time
from storage.workflow_states import State


class WorkflowRun(SQLModel, table=True):
    """One run of a workflow, with the file as it was when it began."""

    __tablename__ = "workflow_run"
    __table_args__ = (
        sa.UniqueConstraint("code"),
        sa.UniqueConstraint("started_by", "idempotency_key"),
        sa.Index("ix_workflow_run_state", "state"),
        sa.Index("ix_workflow_run_finished_at", "finished_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    #: what people call it: ``WF-12``
    code: str
    #: the workflow's name; the text of its file, and sha256 (hex) of that
    name: str
    source: str
    digest: str
    #: JSON object
    inputs: str = "{}"
    #: agent in whose audit chain its transitions stand
    agent: str
    state: str = State.WAITING
    #: `failed` or `cancelled` once it is clear that it ends so; empty before
    ending: str = ""
    why: str = ""
    #: None: not made, or the workflow has none
    output: str | None = None
    #: of the lease under which it was last driven: what an older one writes is refused
    epoch: int = 0
    #: who started it, as shown, and the key under which the same start is the same run
    started_by: str
    idempotency_key: str | None = None
    #: who wants it to end, as shown; empty: nobody
    cancel_by: str = ""
    #: typed address of the channel that shows how far it is; empty: none does
    board: str = ""
    #: the network's id of the message that shows it, and the sha256 (hex) of what it says
    board_id: str = ""
    board_digest: str = ""
    started_at: datetime = utc_time()
    changed_at: datetime = utc_time()
    finished_at: datetime | None = utc_time(default=None)
    trace_id: str


class WorkflowStep(SQLModel, table=True):
    """A step of a run, one item of it, or what makes up for either."""

    __tablename__ = "workflow_step"
    __table_args__ = (
        sa.UniqueConstraint("run_id", "step", "item", "undo"),
        sa.CheckConstraint("item >= -1 AND attempt >= 0", name="counted"),
    )
    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="workflow_run.id")
    step: str
    #: -1: the step as a whole
    item: int = -1
    undo: bool = False
    state: str = State.WAITING
    #: JSON: the item of the list that the step fans out over
    value: str = "null"
    #: of a step that fans out: over how many
    size: int | None = None
    attempt: int = 0
    #: what is asked; of a gate: its title
    instruction: str = ""
    post_to: str = ""
    due_at: datetime | None = utc_time(default=None)
    not_before: datetime | None = utc_time(default=None)
    result: str = ""
    error: str = ""
    #: 1 for what was done first in its run; 0: not done
    done_as: int = 0
    #: of this attempt: the delegation's code, or the request's; and who has it
    reference: str = ""
    doer: str = ""
    changed_at: datetime = utc_time()


class RequestVote(SQLModel, table=True):
    """One person's yes to a question that several have to say yes to."""

    __tablename__ = "request_vote"
    __table_args__ = (sa.UniqueConstraint("request_id", "voter"),)
    id: int | None = Field(default=None, primary_key=True)
    request_id: int = Field(foreign_key="human_request.id")
    #: as the network knows them, and as shown
    voter: str
    name: str
    at: datetime = utc_time()
