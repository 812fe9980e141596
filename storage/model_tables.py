"""The tables about models: what calls cost, how providers are, what agents noted for themselves.

As `storage.tables`: one class a noun, times are aware UTC, a test compares them with the
migrations.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from storage.tables import utc_time

#: columns that a sum of spending reads
_COUNTED: Final = ("state", "reserved_nusd", "cost_nusd")


class SpendingState(StrEnum):
    #: the call may be under way: counts with what it may cost at most
    RESERVED = "reserved"
    SETTLED = "settled"
    REFUNDED = "refunded"


class Spending(SQLModel, table=True):
    """One call of a model: what was reserved for it, and what it came to. Money is in billionths of
    a US dollar (nusd), for a token costs less than a millionth.
    """

    __tablename__ = "spending"
    __table_args__ = (
        # They cover the sums: a day of calls is added up before each one.
        sa.Index("ix_spending_agent_reserved_at", "agent", "reserved_at", *_COUNTED),
        sa.Index("ix_spending_reserved_at", "reserved_at", *_COUNTED),
        sa.Index("ix_spending_task", "task"),
        sa.CheckConstraint("reserved_nusd >= 0 AND cost_nusd >= 0", name="not_negative"),
    )
    id: int | None = Field(default=None, primary_key=True)
    agent: str
    #: name in swarm.toml, and the provider's name of it
    model: str
    provider_model: str
    #: reference of the API key; empty where none is needed
    key: str = ""
    session: str
    task: str
    state: str = SpendingState.RESERVED
    reserved_nusd: int = Field(sa_type=sa.BigInteger)
    cost_nusd: int = Field(default=0, sa_type=sa.BigInteger)
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reserved_at: datetime = utc_time()
    settled_at: datetime | None = utc_time(default=None)
    #: epoch of the agent's process: what a dead one reserved is settled by its replacement
    epoch: int
    trace_id: str


class Circuit(SQLModel, table=True):
    """How a provider is, for all agents: closed while it answers, open while it is left alone."""

    __tablename__ = "circuit"
    #: name of the model in swarm.toml
    model: str = Field(primary_key=True)
    failures: int = 0
    #: the last failure's sentence
    reason: str = ""
    #: None: closed
    open_until: datetime | None = utc_time(default=None)
    #: agent that tries it once while it is half open, and until when it may
    probing_by: str = ""
    probing_until: datetime | None = utc_time(default=None)
    changed_at: datetime = utc_time()


class Note(SQLModel, table=True):
    """What an agent wants to remember, by a name of its own."""

    __tablename__ = "note"
    __table_args__ = (sa.UniqueConstraint("agent", "name"),)
    id: int | None = Field(default=None, primary_key=True)
    agent: str
    name: str
    text: str
    #: whose words it came from: session key, and who asked
    session: str
    asker: str
    #: where not everybody may read, it is recalled in that very place only
    is_open: bool = False
    created_at: datetime = utc_time()
    changed_at: datetime = utc_time()
