"""The table of the project log: what came of work, what was decided, how the project stands.

As `storage.tables`: one class a noun, times are aware UTC, a test compares it with the migrations.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from storage.tables import utc_time


class EntryKind(StrEnum):
    #: what came of a delegation
    RESULT = "result"
    DECISION = "decision"
    NOTE = "note"
    #: how the project stands from now on
    STATUS = "status"


class ProjectStatus(StrEnum):
    PLANNED = "planned"
    ACTIVE = "active"
    BLOCKED = "blocked"
    PAUSED = "paused"
    DONE = "done"


class ProjectEntry(SQLModel, table=True):
    """One line of the project log; it is never changed."""

    __tablename__ = "project_entry"
    __table_args__ = (
        sa.Index("ix_project_entry_at", "at"),
        sa.Index("ix_project_entry_kind_id", "kind", "id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = utc_time()
    #: agent that did it, or wrote it down
    agent: str
    #: for whom: ``agent:captain``, ``discord:user:45``, ``shell``
    by: str
    kind: str
    #: of a result the delegation's state, of a status the `ProjectStatus`; else empty
    state: str = ""
    #: what was asked for; empty but for results
    title: str = ""
    #: what came of it, what was decided, how the project stands
    text: str
    #: what it is about, such as ``delegation:D-7k2m9qxa``
    ref: str = ""
    #: where it was asked, as the record names it; empty: by a hook or from a shell. The words are
    #: for those who may read there.
    network: str = ""
    channel: str = ""
    trace_id: str = ""
