"""The table of talks: private threads of two agents, whose turns are delegations.

As `storage.tables`: one class a noun, times are aware UTC, a test compares it with the migrations.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from storage.tables import utc_time


class Talk(SQLModel, table=True):
    """One talk. What its opener says is a delegation of kind ``talk``, its result the answer."""

    __tablename__ = "talk"
    __table_args__ = (
        sa.UniqueConstraint("code"),
        sa.UniqueConstraint("opener", "peer", "session", "trace_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    #: what people and agents call it: ``T-9f3a21bc``
    code: str
    opener: str
    peer: str
    #: session in which it was opened; it goes on there and nowhere else
    session: str
    opened_at: datetime = utc_time()
    #: None while it is open
    ended_at: datetime | None = utc_time(default=None)
    #: agent that ended it; ``limit`` when nobody did
    ended_by: str = ""
    why: str = ""
    #: of the turn that opened it; with the session it is that turn, whoever carries it on
    trace_id: str
