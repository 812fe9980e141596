"""The table of delegations: work that somebody asked an agent for, and what came of it.

As `storage.tables`: one class a noun, times are aware UTC, a test compares it with the migrations.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from storage.tables import utc_time


class DelegationState(StrEnum):
    QUEUED = "queued"
    #: one process has it
    CLAIMED = "claimed"
    #: and has said since that it is at it
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Deliver(StrEnum):
    """How far a result has come on its way to a channel or a person."""

    NOWHERE = ""
    #: to be said once there is a result
    WANTED = "wanted"
    #: there is a result, and `deliver_by` has to say it
    OWED = "owed"
    SENT = "sent"
    #: said, and nothing proves that it arrived
    UNKNOWN = "unknown"
    FAILED = "failed"


#: somebody was chosen for it, and nobody has begun it yet
UNTAKEN = sa.text("state = 'queued' AND chosen != ''")


class Delegation(SQLModel, table=True):
    """One piece of work for one agent. Its first columns are the envelope that `sender` signed."""

    __tablename__ = "delegation"
    __table_args__ = (
        sa.UniqueConstraint("code"),
        sa.UniqueConstraint("asked_by", "idempotency_key"),
        sa.Index("ix_delegation_agent_state_priority_id", "agent", "state", "priority", "id"),
        sa.Index("ix_delegation_state_expires_at", "state", "expires_at"),
        sa.Index("ix_delegation_deliver_by_deliver", "deliver_by", "deliver"),
        sa.Index("ix_delegation_parent_id", "parent_id"),
        sa.Index("ix_delegation_root_id", "root_id"),
        sa.Index("ix_delegation_routed", "sender", sqlite_where=UNTAKEN, postgresql_where=UNTAKEN),
        # Few delegations are turns of a talk.
        sa.Index(
            "ix_delegation_talk",
            "talk",
            sqlite_where=sa.text("talk != ''"),
            postgresql_where=sa.text("talk != ''"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    #: what people and other machines call it, and the envelope's id and nonce: ``D-7k2m9qxa``
    code: str
    #: ``task`` owes a result; ``wake`` is a word to think about; ``talk`` is a word in a talk;
    #: ``case`` is one for people, which the captain puts before them; ``minutes`` asks for minutes
    kind: str = "task"
    #: code of the talk that it is a turn of; empty: of none
    talk: str = ""
    #: agent that vouches for it by its signature
    sender: str
    #: agent that shall do it
    agent: str
    #: agent to which `agent` shall pass it on, for `sender` may not; empty: none
    passed_to: str = ""
    #: agents of whom one was to be chosen, a blank between them; empty: of all
    among: str = ""
    instruction: str
    #: agents from a person's word down to `sender`, as JSON: none of them may get it again
    chain: str = "[]"
    hops: int = 0
    issued_at: datetime = utc_time()
    expires_at: datetime = utc_time()
    key_id: str = ""
    signature: str = ""
    #: who wanted it: ``agent:captain``, ``hook:cron``, ``shell``, ``discord:user:45``
    asked_by: str
    #: the same key of the same asker is the same delegation
    idempotency_key: str | None = None
    #: where it was asked, as the record names it; empty: by a hook or from a shell
    network: str = ""
    channel: str = ""
    #: a person asked for it where not everybody reads, or it is part of such work: what is told of
    #: it elsewhere does not quote it
    is_private: bool = False
    #: why this agent, where a router chose it: one reason a line
    chosen: str = ""
    parent_id: int | None = Field(default=None, foreign_key="delegation.id")
    #: the first of its tree; its own id where it is that itself
    root_id: int | None = None
    #: smaller is sooner
    priority: int = 20
    state: str = DelegationState.QUEUED
    #: raised by each claim: what an older one writes is refused
    claim: int = 0
    #: epoch of the agent process that has it
    epoch: int | None = None
    #: claims that may fail before it is given up
    tries: int = 3
    #: nobody takes it before
    not_before: datetime = utc_time()
    beat_at: datetime | None = utc_time(default=None)
    finished_at: datetime | None = utc_time(default=None)
    #: a tool that changes something was begun: it is not done a second time
    acted: bool = False
    #: what its worker last said of how far it is
    progress: str = ""
    #: what came of it; why nothing did
    result: str = ""
    error: str = ""
    #: model that answered, and what it cost in billionths of a US dollar
    model: str = ""
    cost_nusd: int = Field(default=0, sa_type=sa.BigInteger)
    #: typed address of where the result goes; empty: nowhere but into this row
    deliver_to: str = ""
    deliver: str = Deliver.NOWHERE
    #: agent that says it there
    deliver_by: str = ""
    delivered_id: str = ""
    delivered_proof: str = ""
    trace_id: str
