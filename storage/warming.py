"""One life of a line on a database in memory, so that what SQLAlchemy works out at the first use of
each statement is there before processes are forked, and shared by them (some 2 MiB each). On SQLite
they share the compiled statements, too (another one): see `storage.engine.prepare`.

No thread, no socket, no file: the coroutines are driven by hand, and nothing in them waits.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import SQLModel

from storage import (
    acquaintances,
    agents,
    audit,
    delegating,
    delegation_looks,
    delegations,
    inbox,
    keys,
    leases,
    record,
    replies,
    sessions,
)
from storage.alignment import Stay
from storage.engine import prepare
from storage.tables import HeartbeatTier, InboxState, LineKind, ReplyState
from storage.transaction import unwaiting
from storage.unit import Unit

_THEN = datetime(2026, 1, 1, tzinfo=UTC)
_AGENT, _CHANNEL = "nobody", "#nowhere"


def warm() -> None:
    """Call it before the fork."""
    engine = prepare()
    with engine.begin() as connection:
        for table in SQLModel.metadata.sorted_tables:
            connection.exec_driver_sql(_bare(table))
        unwaiting(_one_life(Unit(connection)))
    engine.dispose()


def _bare(table: sa.Table) -> str:
    """The table as far as statements need it. What SQLAlchemy does to make tables is done by the
    supervisor alone, and would weigh more than all that is saved here.
    """
    number = "INTEGER PRIMARY KEY"
    columns = [f'"{c.name}" {number if c.name == "id" else ""}' for c in table.columns]
    keys = [
        constraint.columns.keys()
        for constraint in table.constraints
        if isinstance(constraint, sa.UniqueConstraint | sa.PrimaryKeyConstraint)
    ]
    unique = [f"UNIQUE ({', '.join(names)})" for names in keys if names != ["id"]]
    return f'CREATE TABLE "{table.name}" ({", ".join([*columns, *unique])})'


async def _one_life(unit: Unit) -> None:
    await agents.enrol(unit, _AGENT, _AGENT, _THEN)
    epoch = await agents.take(unit, _AGENT, "here", now=_THEN, ttl_s=60)
    await agents.beat(unit, _AGENT, HeartbeatTier.INFRA, _THEN)
    await agents.roster(unit)
    lease = f"listener:irc:{_CHANNEL}"
    await leases.current(unit, lease, _THEN)
    await leases.acquire(unit, lease, _AGENT, now=_THEN, ttl_s=60)
    await inbox.adopt(unit, f"irc:{_CHANNEL}", _AGENT, _THEN)
    await inbox.orphans(unit, _AGENT, epoch)
    await replies.open_of(unit, _AGENT)
    await _heard(unit)
    await _answered(unit, epoch)
    await _delegated(unit, epoch)


async def _heard(unit: Unit) -> None:
    owed = record.Owed(_AGENT, f"irc:{_CHANNEL}", 30)
    line = record.NewLine(
        network="irc",
        channel=_CHANNEL,
        sender="somebody",
        kind=LineKind.SAID,
        text="hello",
        said_at=_THEN,
        heard_at=_THEN,
        heard_by=_AGENT,
        msgid="1",
        trace_id="warm",
        owed=(owed,),
    )
    await record.last_id(unit, "irc", _CHANNEL)
    await record.last_msgid(unit, "irc", _CHANNEL, _THEN)
    await acquaintances.last_private(unit, "irc", _AGENT, _THEN)
    await acquaintances.talkers(unit, "irc", _THEN)
    await record.keep(unit, [line], 0, _THEN, stay=Stay(_THEN))
    ours = replace(line, agent=_AGENT, owed=(), msgid="2")
    await record.keep(unit, [ours], 0, _THEN, stay=Stay(_THEN))
    await record.compare(unit, [line], 0, _THEN, stay=Stay(_THEN))
    await record.count_after(unit, "irc", _CHANNEL, 0, _THEN)


async def _answered(unit: Unit, epoch: int) -> None:
    [work] = await inbox.waiting(unit, _AGENT, networks=["irc"])
    await inbox.claim(unit, [work.inbox_id], _AGENT, epoch, _THEN)
    await audit.append(
        unit,
        agent=_AGENT,
        at=_THEN,
        verb="send",
        target=f"irc:{_CHANNEL}",
        outcome="permitted",
        reason="",
        details={},
        trace_id="warm",
    )
    said = await replies.begin(
        unit,
        _AGENT,
        f"irc:{_CHANNEL}",
        ["hello"],
        inbox_id=work.inbox_id,
        hops=1,
        trace_id="warm",
        now=_THEN,
        epoch=epoch,
    )
    await replies.settle(unit, said, ReplyState.SENT, "warm", _THEN)
    await sessions.history(unit, _AGENT, work.session, 4)
    session = await sessions.open_session(unit, _AGENT, work.session, _THEN)
    await sessions.add_turn(
        unit,
        session,
        inbox_id=work.inbox_id,
        asker="somebody",
        asked="",
        answer="",
        model="",
        steps=0,
        started_at=_THEN,
        finished_at=_THEN,
        trace_id="warm",
    )
    state = InboxState.ANSWERED
    await inbox.settle(unit, [work.inbox_id], _AGENT, epoch, state, _THEN)


async def _delegated(unit: Unit, epoch: int) -> None:
    new = delegations.NewDelegation(
        code="D-warm",
        sender=_AGENT,
        agent=_AGENT,
        instruction="hello",
        chain=(),
        issued_at=_THEN,
        expires_at=_THEN + timedelta(hours=1),
        asked_by="shell",
        priority=20,
        tries=3,
        trace_id="warm",
    )
    given, _ = await delegations.add(unit, new)
    await delegations.by_code(unit, given.code)
    for held, limit in (([given.id or 0], 4), ([], 0)):
        await delegation_looks.look(unit, _AGENT, held, _THEN, limit=limit, page=16, routed=True)
    await delegating.reclaim(unit, _THEN, delegating.SILENCE, of=(_AGENT, epoch))
    await delegation_looks.untaken(unit, _AGENT, [_AGENT], _THEN, after=0, limit=16)
    held_now = await delegating.claim(unit, given.id or 0, _AGENT, epoch, _THEN)
    await keys.verifying(unit, "nobody-1", _THEN)
    if held_now is not None:
        await delegating.beat(unit, [held_now], _THEN)
