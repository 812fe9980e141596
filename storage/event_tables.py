"""The tables of events, of who wants to know of them, and of what agents know together.

As `storage.tables`: one class a noun, times are aware UTC, a test compares them with the
migrations.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from storage.tables import utc_time


class Event(SQLModel, table=True):
    """Something happened that others may want to know; anybody may read it."""

    __tablename__ = "event"
    __table_args__ = (sa.UniqueConstraint("number"), sa.Index("ix_event_at", "at"))
    id: int | None = Field(default=None, primary_key=True)
    #: in the order in which readers see them; None until the dispatcher has handed it out
    number: int | None = None
    #: ``delegation.failed``; see `storage.topics`
    topic: str
    agent: str
    #: one sentence, without secrets and without what was said in private
    text: str
    #: what it is about, such as ``delegation:D-7k2m9qxa``
    ref: str = ""
    at: datetime = utc_time()
    trace_id: str = ""


class Subscription(SQLModel, table=True):
    """One receiver's wish to be told of one pattern of topics."""

    __tablename__ = "subscription"
    __table_args__ = (sa.UniqueConstraint("receiver", "topic"),)
    id: int | None = Field(default=None, primary_key=True)
    #: ``agent:NAME``, ``discord:user:45``, ``irc:account:alice``, ``irc:#reports``
    receiver: str
    #: pattern, such as ``delegation.*``
    topic: str
    #: typed address where it is said; empty: kept until the receiver asks
    address: str = ""
    #: who made it: the receiver, or an operator
    made_by: str
    created_at: datetime = utc_time()
    #: None while it holds
    ended_at: datetime | None = utc_time(default=None)
    #: ``22:00`` to ``07:00`` in a time zone; empty: never quiet
    quiet_from: str = ""
    quiet_until: str = ""
    zone: str = ""
    #: the first event waits so long for company
    batch_s: int = 5
    #: after a failure nothing is said before
    not_before: datetime | None = utc_time(default=None)
    #: why the last batch failed; empty when it did not
    trouble: str = ""


class EventState(StrEnum):
    """How far an event has come on its way to one receiver."""

    #: to be said
    WAITING = "waiting"
    #: it is being said; the reply row tells what became of it
    SAYING = "saying"
    TOLD = "told"
    #: kept until the receiver asks
    UNREAD = "unread"
    #: said, and nothing proves that it arrived: never said again, kept until the receiver asks
    UNKNOWN = "unknown"
    #: could not be said, however often: kept until the receiver asks
    DEAD = "dead"
    READ = "read"


class EventDelivery(SQLModel, table=True):
    """One event on its way to one receiver, who gets it once however many patterns name it."""

    __tablename__ = "event_delivery"
    __table_args__ = (
        sa.UniqueConstraint("event_id", "receiver"),
        sa.Index("ix_event_delivery_receiver_state_id", "receiver", "state", "id"),
        sa.Index("ix_event_delivery_state_subscription_id", "state", "subscription_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    event_id: int = Field(foreign_key="event.id")
    subscription_id: int = Field(foreign_key="subscription.id")
    receiver: str
    state: str
    #: trace of the lines that say it, and the first of them
    batch: str = ""
    reply_id: int | None = None
    failures: int = 0
    #: why it could not be said
    reason: str = ""
    changed_at: datetime = utc_time()


class Knowledge(SQLModel, table=True):
    """What one agent found out and all may use. Searched by the database's own full-text index."""

    __tablename__ = "knowledge"
    __table_args__ = (
        sa.Index("ix_knowledge_agent_title", "agent", "title"),
        sa.CheckConstraint("confidence >= 0 AND confidence <= 1", name="confidence"),
    )
    id: int | None = Field(default=None, primary_key=True)
    #: who published it, and who wanted it published
    agent: str
    asked_by: str = ""
    title: str
    text: str
    #: words to find it by
    topic: str = ""
    #: what it stands on: ids of recorded lines, delegations, addresses
    source: str
    #: from 0, a guess, to 1, certain
    confidence: float
    published_at: datetime = utc_time()
    #: what took its place
    superseded_by: int | None = Field(default=None, foreign_key="knowledge.id")
    trace_id: str = ""
