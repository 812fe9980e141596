"""The tables: what the swarm remembers. One class a noun; times are aware UTC.

The columns here and the migrations in `storage/migrations` must agree; a test compares them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out, on databases that forget time zones too."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}: Parley stores aware UTC only")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class AgentState(StrEnum):
    STARTING = "starting"
    READY = "ready"
    DEGRADED = "degraded"
    DEAF = "deaf"
    HUNG = "hung"
    FAILED = "failed"
    KILLED = "killed"
    STOPPED = "stopped"


class LineKind(StrEnum):
    """What a recorded line is. `said`, `action` and `notice` are talk; the rest is presence."""

    SAID = "said"
    ACTION = "action"
    NOTICE = "notice"
    JOIN = "join"
    PART = "part"
    QUIT = "quit"
    KICK = "kick"
    NICK = "nick"
    TOPIC = "topic"


TALK = (LineKind.SAID, LineKind.ACTION, LineKind.NOTICE)


class InboxState(StrEnum):
    QUEUED = "queued"
    WORKING = "working"
    #: a reply was handed to the transport; see its Reply rows for the proof
    ANSWERED = "answered"
    #: looked at, deliberately not answered (loop guard, unknown command, silence)
    SILENT = "silent"
    #: stopped by a person, or refused by the guard or the kill latch
    REFUSED = "refused"
    #: its worker died while a reply was being sent and nobody can prove that it arrived
    UNKNOWN = "unknown"


class ReplyState(StrEnum):
    SENDING = "sending"
    SENT = "sent"
    UNKNOWN = "unknown"
    #: the server refused it and said so
    FAILED = "failed"


class RequestState(StrEnum):
    """What became of a question to people: `pending → approved → completed`, or one of the rest."""

    PENDING = "pending"
    APPROVED = "approved"
    #: what was approved has been carried out, or tried: `outcome` says which
    COMPLETED = "completed"
    REJECTED = "rejected"
    #: nobody decided in time, and silence is a no
    EXPIRED = "expired"


class HeartbeatTier(StrEnum):
    INFRA = "infra"
    FUNCTIONAL = "functional"


def utc_time(**more: Any) -> Any:
    return Field(sa_type=UtcDateTime, **more)


class Agent(SQLModel, table=True):
    """A named member of the swarm, and the lease under which one process runs it."""

    __tablename__ = "agent"
    name: str = Field(primary_key=True)
    role: str
    state: str = AgentState.STOPPED
    #: why it is in that state, in one sentence; empty when there is nothing to say
    reason: str = ""
    #: supervisor that runs it (host and process), None when nobody does
    holder: str | None = None
    #: raised on every start; a process with an older epoch may not write
    epoch: int = 0
    lease_until: datetime | None = utc_time(default=None)
    pid: int | None = None
    hook_url: str | None = None
    irc_nick: str | None = None
    updated_at: datetime = utc_time()


class Lease(SQLModel, table=True):
    """A named right that one process holds at a time, such as ``listener:irc:#lobby``."""

    __tablename__ = "lease"
    name: str = Field(primary_key=True)
    holder: str
    epoch: int = 1
    expires_at: datetime = utc_time()


class Message(SQLModel, table=True):
    """One line heard in a channel or in private, stored once however many agents heard it."""

    __tablename__ = "message"
    __table_args__ = (
        sa.Index("ix_message_network_channel_id", "network", "channel", "id"),
        sa.Index("ix_message_channel_said_at", "channel", "said_at"),
        sa.Index("ix_message_said_at", "said_at"),
        sa.UniqueConstraint("network", "channel", "msgid"),
    )
    id: int | None = Field(default=None, primary_key=True)
    network: str
    #: folded channel name (``#ubuntu``), or ``nick:<agent>`` for a private message to that agent
    channel: str
    #: nick as it was shown
    sender: str
    #: services account when the network vouches for it
    account: str | None = None
    kind: str = LineKind.SAID
    text: str
    #: when it was said: server time, a replayed log's own time, else when it was heard
    said_at: datetime = utc_time()
    heard_at: datetime = utc_time()
    #: agent whose socket read it
    heard_by: str
    #: it may have come so many seconds before `heard_at`: its listener did not look
    lag_s: float = 0.0
    #: IRCv3 msgid where the server gives one
    msgid: str | None = None
    #: agent that said it, None for everybody else
    agent: str | None = None
    #: 0 for a person's words; an agent's answer has one more than what it answers
    hops: int = 0
    trace_id: str


class Inbox(SQLModel, table=True):
    """A line that one agent owes a look: addressed talk or a command."""

    __tablename__ = "inbox"
    __table_args__ = (
        sa.UniqueConstraint("agent", "message_id"),
        sa.Index("ix_inbox_agent_state", "agent", "state"),
        sa.Index("ix_inbox_message_id", "message_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    agent: str
    message_id: int = Field(foreign_key="message.id")
    #: what is answered serially: ``<network>:<channel>``, or ``<network>:nick:<person>`` in private
    session: str
    #: smaller is sooner: 0 commands, 10 hooks, 20 private, 30 channel talk
    priority: int = 30
    state: str = InboxState.QUEUED
    #: set for an untargeted command: whoever becomes listener of this channel inherits the row
    listener_of: str | None = None
    #: epoch of the agent process that works on it
    epoch: int | None = None
    queued_at: datetime = utc_time()
    claimed_at: datetime | None = utc_time(default=None)
    settled_at: datetime | None = utc_time(default=None)
    #: why it ended as it did, when that is not plain
    note: str = ""
    trace_id: str


class Reply(SQLModel, table=True):
    """One outgoing message (one IRC line each) with the state of its delivery."""

    __tablename__ = "reply"
    __table_args__ = (
        sa.UniqueConstraint("inbox_id", "part"),
        sa.Index("ix_reply_agent_state", "agent", "state"),
        sa.Index("ix_reply_agent_sending_at", "agent", "sending_at"),
        sa.Index("ix_reply_delegation_id", "delegation_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    agent: str
    #: what it answers; None for lines nobody asked for
    inbox_id: int | None = Field(default=None, foreign_key="inbox.id")
    #: delegation whose result it says
    delegation_id: int | None = None
    part: int = 0
    #: typed address, for example ``irc:#lobby`` or ``irc:nick:alice``
    target: str
    text: str
    #: more of it is, or was, still to come: it is no answer by itself
    grows: bool = False
    state: str = ReplyState.SENDING
    #: what proves that it arrived: ``pong``, ``echo``, ``msgid:…``, ``heard-by:<agent>``; or what
    #: the server said when it refused
    proof: str = ""
    hops: int = 1
    sending_at: datetime = utc_time()
    settled_at: datetime | None = utc_time(default=None)
    trace_id: str


class Session(SQLModel, table=True):
    """One conversation of one agent: a channel, or a person in private."""

    __tablename__ = "session"
    __table_args__ = (sa.UniqueConstraint("agent", "key"),)
    id: int | None = Field(default=None, primary_key=True)
    agent: str
    key: str
    started_at: datetime = utc_time()
    last_at: datetime = utc_time()
    #: newest turn that is history no more, for somebody began the conversation anew
    begun_after: int = 0
    #: newest turn that `digest` stands for; the turns themselves stay
    digest_until: int = 0
    digest: str = ""
    digest_at: datetime | None = utc_time(default=None)


class Turn(SQLModel, table=True):
    """One question and what came of it."""

    __tablename__ = "turn"
    __table_args__ = (
        sa.Index("ix_turn_session_id", "session_id", "id"),
        sa.Index("ix_turn_inbox_id", "inbox_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    session_id: int = Field(foreign_key="session.id")
    inbox_id: int | None = Field(default=None, foreign_key="inbox.id")
    asker: str
    asked: str
    answer: str
    #: model that answered, ``offline`` for the brain without a model
    model: str
    steps: int = 0
    #: name, version and hash of the system prompt, such as ``system@2:9f86d081``
    prompt: str = ""
    cost_nusd: int = Field(default=0, sa_type=sa.BigInteger)
    input_tokens: int = 0
    output_tokens: int = 0
    started_at: datetime = utc_time()
    finished_at: datetime = utc_time()
    trace_id: str


class Heartbeat(SQLModel, table=True):
    """Proof of life for other machines and for people; the supervisor's own watch is the pipe."""

    __tablename__ = "heartbeat"
    agent: str = Field(primary_key=True)
    tier: str = Field(primary_key=True)
    at: datetime = utc_time()
    #: functional tier only: what claim is open; empty when none is
    claim: str = ""


class LatchRow(SQLModel, table=True):
    """The kill latch as a row; the file in the state folder says the same, and either one kills."""

    __tablename__ = "latch"
    #: ``all`` or an agent's name
    scope: str = Field(primary_key=True)
    killed: bool
    by: str
    door: str
    reason: str
    changed_at: datetime = utc_time()


class AuditEntry(SQLModel, table=True):
    """One decision in its agent's append-only hash chain. Triggers forbid update and delete."""

    __tablename__ = "audit"
    __table_args__ = (sa.UniqueConstraint("agent", "seq"),)
    id: int | None = Field(default=None, primary_key=True)
    agent: str
    seq: int
    at: datetime = utc_time()
    #: what happened: an act's verb, or ``kill``, ``resume``, ``refused``, ``transition``
    verb: str
    target: str
    #: ``permitted``, ``refused`` or ``done``
    outcome: str
    reason: str
    #: canonical JSON of the facts (RFC 8785 subset: sorted keys, no blanks)
    details: str
    trace_id: str
    previous_hash: str
    hash: str


class Checkpoint(SQLModel, table=True):
    """The supervisor's signature under the head of one agent's chain: what stands below it stays.

    Without it, entries cut off at the end of a chain would not show.
    """

    __tablename__ = "checkpoint"
    __table_args__ = (sa.UniqueConstraint("agent", "seq"),)
    id: int | None = Field(default=None, primary_key=True)
    agent: str
    #: entry of the chain that is signed, and its hash
    seq: int
    hash: str
    at: datetime = utc_time()
    #: base64 of the Ed25519 public key, and of the signature
    key: str
    signature: str


class Nonce(SQLModel, table=True):
    """A nonce that was used; kept for as long as a signature could still be fresh."""

    __tablename__ = "nonce"
    __table_args__ = (sa.Index("ix_nonce_expires_at", "expires_at"),)
    value: str = Field(primary_key=True)
    expires_at: datetime = utc_time()


class Posting(SQLModel, table=True):
    """How far one kind of post has got in one place, such as ``logs:irc``."""

    __tablename__ = "posting"
    topic: str = Field(primary_key=True)
    #: JSON: up to where all is told, or need not be; empty before the first look
    mark: str = ""
    #: JSON: what the post that is being said tells of; empty when none is
    pending: str = ""
    #: of the post that is being said, or was said last: its lines are replies with this trace
    trace_id: str = ""
    at: datetime = utc_time()
