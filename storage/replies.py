"""Outgoing lines and the state of their delivery: `sending → sent | unknown | failed`.

A line is recorded before a transport gets it and settled on proof, so a crash in between leaves a
row that says so, and nothing is sent twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from storage.core import INBOX, MESSAGE, REPLY, run
from storage.errors import LeaseLost, StorageError
from storage.tables import InboxState, Reply, ReplyState
from storage.unit import Unit

_OPEN: Final = (InboxState.QUEUED, InboxState.WORKING)
_COLUMNS: Final = [REPLY.c[name] for name in Reply.model_fields]
#: clocks of the sender and of who heard it may differ by this much
_SLACK: Final = timedelta(seconds=1)


async def begin(
    unit: Unit,
    agent: str,
    target: str,
    parts: Sequence[str],
    *,
    inbox_id: int | None,
    hops: int,
    trace_id: str,
    now: datetime,
    epoch: int | None = None,
    first_part: int = 0,
    grows: bool = False,
    delegation_id: int | None = None,
) -> list[int]:
    """Record `parts` (one line each) as `sending`; returns their ids in order. What `grows` is
    shown while more of it is still to come.

    Raises `LeaseLost` when the inbox row is no longer this agent's (another one adopted it, or it
    is settled, or it is worked on under another epoch than `epoch`), and `StorageError` when an
    answer to it was begun before. An answer to two targets numbers on with `first_part`.
    """
    if not parts:
        return []
    if inbox_id is not None:
        await _require_open(unit, inbox_id, agent, epoch)
        await _require_unanswered(unit, inbox_id, first_part)
    rows = [
        {
            "agent": agent,
            "inbox_id": inbox_id,
            "delegation_id": delegation_id,
            "part": first_part + number,
            "target": target,
            "text": text,
            "grows": grows,
            "state": str(ReplyState.SENDING),
            "proof": "",
            "hops": hops,
            "sending_at": now,
            "trace_id": trace_id,
        }
        for number, text in enumerate(parts)
    ]
    bulk = sa.insert(REPLY).returning(REPLY.c.id, sort_by_parameter_order=True)
    return list((await run(unit, bulk, rows)).scalars())


async def settle(
    unit: Unit, ids: Sequence[int], state: ReplyState, proof: str, now: datetime
) -> int:
    """Sending → `state`, with what proves it; settled rows stay. Returns how many changed. What
    was sent is whole.
    """
    whole = {"grows": False} if state is ReplyState.SENT else {}
    change = (
        sa.update(REPLY)
        .where(REPLY.c.id.in_(ids), REPLY.c.state == str(ReplyState.SENDING))
        .values(state=str(state), proof=proof, settled_at=now, **whole)
    )
    return (await run(unit, change)).rowcount


async def reword(unit: Unit, reply_id: int, text: str) -> None:
    """A line that grew says `text` now."""
    await run(unit, sa.update(REPLY).where(REPLY.c.id == reply_id).values(text=text))


async def forget(unit: Unit, ids: Sequence[int]) -> int:
    """Take back lines that are still `sending` and never left; returns how many there were."""
    gone = sa.delete(REPLY).where(REPLY.c.id.in_(ids), REPLY.c.state == str(ReplyState.SENDING))
    return (await run(unit, gone)).rowcount


async def open_of(unit: Unit, agent: str) -> list[Reply]:
    """Lines of `agent` that are still `sending`, oldest first."""
    query = sa.select(*_COLUMNS).where(
        REPLY.c.agent == agent, REPLY.c.state == str(ReplyState.SENDING)
    )
    return await _replies(unit, query.order_by(REPLY.c.id))


async def states_of(unit: Unit, inbox_id: int) -> set[ReplyState]:
    """The states of the lines that answer this inbox row; empty when nothing was begun."""
    query = sa.select(REPLY.c.state).where(REPLY.c.inbox_id == inbox_id).distinct()
    return {ReplyState(state) for state in (await run(unit, query)).scalars()}


async def of_delegation(unit: Unit, delegation_id: int) -> list[Reply]:
    """The lines that say what came of a delegation, in their order; empty when none was begun."""
    query = sa.select(*_COLUMNS).where(REPLY.c.delegation_id == delegation_id)
    return await _replies(unit, query.order_by(REPLY.c.id))


async def last_unasked(unit: Unit, agent: str, target: str, since: datetime) -> datetime | None:
    """When `agent` last said something in `target` (whatever its case) that nobody there had asked
    for, a file too; None when that was not after `since`.
    """
    c = REPLY.c
    query = sa.select(sa.func.max(c.sending_at)).where(
        c.agent == agent,
        sa.func.lower(c.target) == target.lower(),
        c.inbox_id.is_(None),
        c.delegation_id.is_(None),
        c.sending_at > since,
        c.state != str(ReplyState.FAILED),
    )
    return (await run(unit, query)).scalar()


async def heard(unit: Unit, reply: Reply, nick: str | None = None) -> int | None:
    """The id of the recorded line that proves `reply` arrived, None when nobody heard it.

    It was said by that agent (or by `nick`, whatever its case), in that target, with that text, not
    earlier than a second before `sending_at`. Of several equal replies each takes its own line.
    """
    network, _, channel = reply.target.partition(":")
    since = reply.sending_at - _SLACK
    m, r = MESSAGE.c, REPLY.c
    speaker: sa.ColumnElement[bool] = m.agent == reply.agent
    if nick is not None:
        speaker = sa.or_(speaker, sa.func.lower(m.sender) == nick.lower())
    equal_before = sa.select(sa.func.count()).where(
        r.agent == reply.agent,
        r.target == reply.target,
        r.text == reply.text,
        r.id < reply.id,
        r.sending_at >= since,
        r.state != str(ReplyState.FAILED),
    )
    earlier = (await run(unit, equal_before)).scalar_one()
    line = sa.select(m.id).where(
        m.network == network,
        m.channel == channel,
        m.text == reply.text,
        m.heard_at >= since,
        speaker,
    )
    found = await run(unit, line.order_by(m.id).offset(earlier).limit(1))
    return found.scalar_one_or_none()


async def answered_line(unit: Unit, reply: Reply) -> str | None:
    """The network's id of the line that `reply` answers, where it is the first part of an answer in
    the same place; None else.
    """
    if reply.inbox_id is None or reply.part:
        return None
    line = sa.select(MESSAGE.c.msgid).join(INBOX, INBOX.c.message_id == MESSAGE.c.id)
    return (await run(unit, line.where(INBOX.c.id == reply.inbox_id))).scalar()


async def _require_open(unit: Unit, inbox_id: int, agent: str, epoch: int | None) -> None:
    # FOR UPDATE keeps an adopting agent waiting until this reply is recorded or given up.
    query = sa.select(INBOX.c.agent, INBOX.c.state, INBOX.c.epoch).where(INBOX.c.id == inbox_id)
    row = (await run(unit, query.with_for_update())).one_or_none()
    if row is None or row.agent != agent or row.state not in _OPEN:
        raise LeaseLost(f"Inbox row {inbox_id} is not {agent}'s to answer any more.")
    if epoch is not None and row.epoch not in {None, epoch}:
        raise LeaseLost(f"Inbox row {inbox_id} is worked on under epoch {row.epoch}, not {epoch}.")


async def _require_unanswered(unit: Unit, inbox_id: int, first_part: int) -> None:
    query = sa.select(sa.func.max(REPLY.c.part)).where(REPLY.c.inbox_id == inbox_id)
    last = (await run(unit, query)).scalar()
    if last is not None and last >= first_part:
        raise StorageError(f"An answer to inbox row {inbox_id} was begun before.")


async def _replies(unit: Unit, query: sa.Select[*tuple[object, ...]]) -> list[Reply]:
    return [Reply(**row) for row in (await run(unit, query)).mappings()]


async def prune(unit: Unit, before: datetime) -> int:
    """Delete what was said, and settled, before `before`; returns how many lines."""
    settled = REPLY.c.state != str(ReplyState.SENDING)
    old = sa.delete(REPLY).where(REPLY.c.sending_at < before, settled)
    return (await run(unit, old)).rowcount
