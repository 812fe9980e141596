"""The tables of questions to people: what is asked, and how people were told of it.

As `storage.tables`: one class a noun, times are aware UTC, a test compares it with the migrations.
Money is in millionths of the currency's unit.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from storage.tables import RequestState, utc_time


class HumanRequest(SQLModel, table=True):
    """A question that only people may answer: what somebody wants done, and who may say yes."""

    __tablename__ = "human_request"
    __table_args__ = (
        sa.UniqueConstraint("code"),
        sa.Index("ix_human_request_state_expires_at", "state", "expires_at"),
        sa.Index("ix_human_request_network_message_id", "network", "message_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    #: what people call it: ``AP-118``
    code: str
    #: agent that shows it, carries it out, and has its transitions in its audit chain
    agent: str
    #: what would be done (`storage.request.RequestKind`), and to whom or what
    kind: str
    subject: str
    title: str
    #: JSON list of ``[label, value]``, secrets taken out
    facts: str = "[]"
    #: why, and JSON list of links and texts that show it
    reason: str = ""
    sources: str = "[]"
    #: what was tried to do it without a person
    attempt: str = ""
    #: ISO 4217 code of all sums of this request; empty while there are none
    currency: str = ""
    #: estimated cost and expected return
    cost_micros: int | None = Field(default=None, sa_type=sa.BigInteger)
    return_micros: int | None = Field(default=None, sa_type=sa.BigInteger)
    #: who wants it, as shown
    asked_by: str
    #: JSON object of who may decide: ``{"users": [id], "roles": [id], "accounts": [name]}``
    approvers: str
    #: where it is shown, and the network's id of the message that shows it
    network: str
    channel: str
    message_id: str | None = None
    #: the state that the message shows; empty before it is posted
    shown: str = ""
    #: so many different people have to say yes
    quorum: int = 1
    state: str = RequestState.PENDING
    created_at: datetime = utc_time()
    expires_at: datetime = utc_time()
    #: who decided, as shown
    decided_by: str = ""
    #: JSON object of what the decision rests on: ``{"discord_user": id, "discord_roles": [id]}``
    evidence: str = "{}"
    decided_at: datetime | None = utc_time(default=None)
    #: what who decided said to it
    note: str = ""
    #: what came of carrying it out, in one sentence
    outcome: str = ""
    #: real cost and return, and the person who says so
    paid_micros: int | None = Field(default=None, sa_type=sa.BigInteger)
    earned_micros: int | None = Field(default=None, sa_type=sa.BigInteger)
    completed_by: str = ""
    completed_at: datetime | None = utc_time(default=None)
    #: agent that goes on once it is over; empty: none does
    waiter: str = ""
    #: for what it was asked: ``delegation:D-7k2m9qxa``, or the place where it was said, such as
    #: ``irc:#lobby``, ``discord:user:45``; empty: for neither
    reference: str = ""
    #: until then the waiter looks by itself
    awaited_until: datetime | None = utc_time(default=None)
    #: the state that the waiter was told of
    told: str = ""
    trace_id: str


class NoticeState(StrEnum):
    """How far one word about a request has come."""

    SENDING = "sending"
    SENT = "sent"
    #: it did not leave; it is tried again at `not_before`
    WAITING = "waiting"
    FAILED = "failed"
    #: it may have arrived, and is not said a second time
    UNKNOWN = "unknown"


class RequestNotice(SQLModel, table=True):
    """One word to one recipient that a request waits, beside the card."""

    __tablename__ = "request_notice"
    __table_args__ = (sa.UniqueConstraint("request_id", "step", "round", "recipient"),)
    id: int | None = Field(default=None, primary_key=True)
    request_id: int = Field(foreign_key="human_request.id")
    #: place of its step in the chain, from 0, and how often that step was taken before
    step: int
    round: int
    #: typed: ``discord:user:45``, ``email:ops@example.org``, ``webhook:ntfy.example.org``
    recipient: str
    state: str = NoticeState.SENDING
    tries: int = 1
    #: process that sends it, as agent and epoch
    sender: str
    at: datetime = utc_time()
    not_before: datetime | None = utc_time(default=None)
    #: what shows that it arrived, or why it did not
    proof: str = ""
