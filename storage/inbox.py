"""What an agent owes a look: rows go `queued → working → answered | silent | refused | unknown`.

Every step is one UPDATE guarded by the state and the epoch it leaves, so of two processes that run
for one agent only the newer one gets work, and each row once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from storage.core import AGENT, INBOX, MESSAGE, REPLY, insert, run
from storage.tables import InboxState
from storage.unit import Unit

_QUEUED: Final = str(InboxState.QUEUED)
_WORKING: Final = str(InboxState.WORKING)


@dataclass(frozen=True, kw_only=True)
class Work:
    """One inbox row together with the line it is about, as plain values."""

    inbox_id: int
    agent: str
    session: str
    priority: int
    state: str
    listener_of: str | None
    epoch: int | None
    queued_at: datetime
    note: str
    trace_id: str
    message_id: int
    network: str
    channel: str
    sender: str
    account: str | None
    kind: str
    text: str
    said_at: datetime
    heard_at: datetime
    hops: int
    #: the network's own id of the line, where it gives one
    msgid: str | None = None
    #: agent that said the line, None for everybody else
    said_by: str | None
    #: rows claimed together are answered together: they share this moment
    claimed_at: datetime | None = None
    #: a line of talk orders nothing anywhere else
    may_reach_out: ClassVar[bool] = False
    delegation: ClassVar[None] = None

    @property
    def task(self) -> str:
        """What its costs are booked on."""
        return f"inbox:{self.inbox_id}"


async def waiting(
    unit: Unit, agent: str, limit: int = 100, *, networks: Collection[str] | None = None
) -> list[Work]:
    """Queued rows of `agent`: smallest priority first, then oldest first; of these networks only,
    where some are given.
    """
    where = [INBOX.c.agent == agent, INBOX.c.state == _QUEUED]
    if networks is not None:
        where.append(MESSAGE.c.network.in_(networks))
    return await _work(unit, *where, limit=limit)


async def claim(unit: Unit, ids: Sequence[int], agent: str, epoch: int, now: datetime) -> list[int]:
    """Queued → working under `epoch`; returns the ids that were won, in ascending order.

    An epoch that a newer process of this agent has overtaken wins nothing.
    """
    change = (
        sa.update(INBOX)
        .where(*_mine(ids, agent), INBOX.c.state == _QUEUED, _not_overtaken(agent, epoch))
        .values(state=_WORKING, epoch=epoch, claimed_at=now)
        .returning(INBOX.c.id)
    )
    return sorted((await run(unit, change)).scalars())


async def settle(  # noqa: PLR0917  the guard, the change and its moment: a sentence
    unit: Unit,
    ids: Sequence[int],
    agent: str,
    epoch: int,
    state: InboxState,
    now: datetime,
    note: str = "",
) -> int:
    """Queued, or working under this epoch → `state`; returns how many rows changed."""
    open_here = sa.or_(
        INBOX.c.state == _QUEUED,
        sa.and_(INBOX.c.state == _WORKING, INBOX.c.epoch == epoch),
    )
    change = (
        sa.update(INBOX)
        .where(*_mine(ids, agent), open_here, _not_overtaken(agent, epoch))
        .values(state=str(state), settled_at=now, note=note)
    )
    return (await run(unit, change)).rowcount


async def annotate(unit: Unit, inbox_id: int, agent: str, epoch: int, note: str) -> bool:
    """Write `note` on a row that is worked on under this epoch; False when it is ours no more."""
    change = (
        sa.update(INBOX)
        .where(
            *_mine([inbox_id], agent),
            INBOX.c.state == _WORKING,
            INBOX.c.epoch == epoch,
            _not_overtaken(agent, epoch),
        )
        .values(note=note)
    )
    return (await run(unit, change)).rowcount == 1


async def orphans(unit: Unit, agent: str, epoch: int, limit: int = 1000) -> list[Work]:
    """Rows that a process of `agent` with an older epoch left in `working`."""
    older = sa.or_(INBOX.c.epoch < epoch, INBOX.c.epoch.is_(None))
    return await _work(unit, INBOX.c.agent == agent, INBOX.c.state == _WORKING, older, limit=limit)


async def requeue(
    unit: Unit,
    ids: Sequence[int],
    agent: str,
    epoch: int | None = None,
    note: str = "",
) -> int:
    """Working → queued; returns how many rows changed.

    With `epoch`, only rows worked on under it or an older one. The caller knows that nothing was
    sent for them (`storage.replies.states_of`).
    """
    older: sa.ColumnElement[bool] = sa.true()
    if epoch is not None:
        older = sa.and_(
            sa.or_(INBOX.c.epoch <= epoch, INBOX.c.epoch.is_(None)), _not_overtaken(agent, epoch)
        )
    change = (
        sa.update(INBOX)
        .where(*_mine(ids, agent), INBOX.c.state == _WORKING, older)
        .values(state=_QUEUED, epoch=None, claimed_at=None, note=note)
    )
    return (await run(unit, change)).rowcount


async def take_as_talk(unit: Unit, inbox_id: int, agent: str, epoch: int, priority: int) -> bool:
    """The command in hand is a question to this very agent: working → queued, behind `priority`.

    False when the row is not ours any more.
    """
    change = (
        sa.update(INBOX)
        .where(
            *_mine([inbox_id], agent),
            INBOX.c.state == _WORKING,
            INBOX.c.epoch == epoch,
            _not_overtaken(agent, epoch),
        )
        .values(state=_QUEUED, priority=priority, listener_of=None, epoch=None, claimed_at=None)
    )
    return (await run(unit, change)).rowcount == 1


async def adopt(unit: Unit, channel_key: str, agent: str, now: datetime) -> int:
    """Inherit a channel's untargeted commands: rows of other agents with this `listener_of`.

    Queued rows become `agent`'s, working ones only while nothing was sent for them. A line that
    `agent` owes a look anyway is not taken twice; the other row ends as silent. Returns how many
    rows were inherited.
    """
    theirs = (INBOX.c.listener_of == channel_key, INBOX.c.agent != agent)
    # On PostgreSQL: wait for a reply being begun right now, then look with a new snapshot.
    held = sa.select(INBOX.c.id).where(*theirs, INBOX.c.state.in_((_QUEUED, _WORKING)))
    ids = list((await run(unit, held.with_for_update())).scalars())
    if not ids:
        return 0
    unanswered = sa.or_(
        INBOX.c.state == _QUEUED,
        sa.and_(
            INBOX.c.state == _WORKING,
            ~sa.exists().where(REPLY.c.inbox_id == INBOX.c.id),
        ),
    )
    mine = INBOX.alias("mine")
    owed_anyway = sa.exists().where(mine.c.agent == agent, mine.c.message_id == INBOX.c.message_id)
    give_up = sa.update(INBOX).where(INBOX.c.id.in_(ids), unanswered, owed_anyway)
    note = f"left to {agent}"
    await run(unit, give_up.values(state=str(InboxState.SILENT), settled_at=now, note=note))
    take = sa.update(INBOX).where(INBOX.c.id.in_(ids), unanswered)
    values = {"agent": agent, "state": _QUEUED, "epoch": None, "claimed_at": None}
    return (await run(unit, take.values(**values))).rowcount


async def enqueue(  # noqa: PLR0917  the columns of one row, in their order
    unit: Unit,
    agent: str,
    message_id: int,
    session: str,
    priority: int,
    now: datetime,
    trace_id: str,
    listener_of: str | None = None,
) -> int | None:
    """One more row; returns its id, None when this agent already has one for this line."""
    add = insert(unit, INBOX).values(
        agent=agent,
        message_id=message_id,
        session=session,
        priority=priority,
        state=_QUEUED,
        listener_of=listener_of,
        queued_at=now,
        note="",
        trace_id=trace_id,
    )
    statement = add.on_conflict_do_nothing(index_elements=["agent", "message_id"])
    return (await run(unit, statement.returning(INBOX.c.id))).scalar_one_or_none()


async def counts(unit: Unit) -> dict[str, dict[str, int]]:
    """How many rows each agent has in each state."""
    query = sa.select(INBOX.c.agent, INBOX.c.state, sa.func.count()).group_by(
        INBOX.c.agent, INBOX.c.state
    )
    found: dict[str, dict[str, int]] = {}
    for agent, state, number in (await run(unit, query)).all():
        found.setdefault(agent, {})[state] = number
    return found


def _mine(ids: Sequence[int], agent: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (INBOX.c.id.in_(ids), INBOX.c.agent == agent)


def _not_overtaken(agent: str, epoch: int) -> sa.ColumnElement[bool]:
    return ~sa.exists().where(AGENT.c.name == agent, AGENT.c.epoch > epoch)


async def _work(unit: Unit, *where: sa.ColumnElement[bool], limit: int) -> list[Work]:
    i, m = INBOX.c, MESSAGE.c
    from_inbox = (
        i.session,
        i.priority,
        i.state,
        i.listener_of,
        i.epoch,
        i.queued_at,
        i.note,
        i.claimed_at,
    )
    from_message = (m.network, m.channel, m.sender, m.account, m.kind, m.text)
    columns: list[sa.ColumnElement[Any]] = [
        i.id.label("inbox_id"),
        i.agent.label("agent"),
        *from_inbox,
        i.trace_id.label("trace_id"),
        i.message_id,
        *from_message,
        *(m.said_at, m.heard_at, m.hops, m.msgid),
        m.agent.label("said_by"),
    ]
    query = sa.select(*columns).join(MESSAGE, m.id == i.message_id).where(*where)
    rows = await run(unit, query.order_by(i.priority, i.id).limit(limit))
    return [Work(**row) for row in rows.mappings()]
