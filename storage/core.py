"""The tables as SQLAlchemy Core sees them, and how a statement reaches the database. Only glue.

Hot paths speak Core: no identity map, no refresh after a commit, one round trip a statement.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from storage import (
    delegation_tables,
    event_tables,
    key_tables,
    ledger_tables,
    model_tables,
    project_tables,
    request_tables,
    tables,
    talk_tables,
    workflow_tables,
)
from storage.unit import Parameters, Rows, Unit

_known = SQLModel.metadata.tables
ACCOUNT: Final = _known[str(ledger_tables.Account.__tablename__)]
AGENT: Final = _known[str(tables.Agent.__tablename__)]
AUDIT: Final = _known[str(tables.AuditEntry.__tablename__)]
CIRCUIT: Final = _known[str(model_tables.Circuit.__tablename__)]
CHECKPOINT: Final = _known[str(tables.Checkpoint.__tablename__)]
DELEGATION: Final = _known[str(delegation_tables.Delegation.__tablename__)]
ENTRY: Final = _known[str(ledger_tables.Entry.__tablename__)]
EVENT: Final = _known[str(event_tables.Event.__tablename__)]
EVENT_DELIVERY: Final = _known[str(event_tables.EventDelivery.__tablename__)]
HEARTBEAT: Final = _known[str(tables.Heartbeat.__tablename__)]
HOLD: Final = _known[str(ledger_tables.Hold.__tablename__)]
HUMAN_REQUEST: Final = _known[str(request_tables.HumanRequest.__tablename__)]
INBOX: Final = _known[str(tables.Inbox.__tablename__)]
KNOWLEDGE: Final = _known[str(event_tables.Knowledge.__tablename__)]
LATCH: Final = _known[str(tables.LatchRow.__tablename__)]
LEASE: Final = _known[str(tables.Lease.__tablename__)]
MESSAGE: Final = _known[str(tables.Message.__tablename__)]
NOTE: Final = _known[str(model_tables.Note.__tablename__)]
NONCE: Final = _known[str(tables.Nonce.__tablename__)]
POSTING: Final = _known[str(tables.Posting.__tablename__)]
PROJECT_ENTRY: Final = _known[str(project_tables.ProjectEntry.__tablename__)]
REPLY: Final = _known[str(tables.Reply.__tablename__)]
REQUEST_NOTICE: Final = _known[str(request_tables.RequestNotice.__tablename__)]
REQUEST_VOTE: Final = _known[str(workflow_tables.RequestVote.__tablename__)]
SESSION: Final = _known[str(tables.Session.__tablename__)]
SIGNING_KEY: Final = _known[str(key_tables.SigningKey.__tablename__)]
SPENDING: Final = _known[str(model_tables.Spending.__tablename__)]
SUBSCRIPTION: Final = _known[str(event_tables.Subscription.__tablename__)]
TALK: Final = _known[str(talk_tables.Talk.__tablename__)]
TRANSFER: Final = _known[str(ledger_tables.Transfer.__tablename__)]
TURN: Final = _known[str(tables.Turn.__tablename__)]
WORKFLOW_RUN: Final = _known[str(workflow_tables.WorkflowRun.__tablename__)]
WORKFLOW_STEP: Final = _known[str(workflow_tables.WorkflowStep.__tablename__)]


async def run(unit: Unit, statement: sa.Executable, parameters: Parameters = None) -> Rows:
    """Execute `statement` in the transaction of `unit`; a list of parameters is one bulk call."""
    return await unit.execute(statement, parameters)


def insert(unit: Unit, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ``ON CONFLICT``, which both databases have and standard SQL has not."""
    if unit.dialect == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


async def one_at_a_time(unit: Unit, what: str) -> None:
    """Wait until no other transaction is at `what`, and keep others waiting until this one ends.

    SQLite has one writer anyway. On PostgreSQL two transactions that read before they insert would
    not see each other, so both take an advisory lock on the name first.
    """
    if unit.dialect == "postgresql":
        lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")
        await run(unit, lock, {"what": what})
