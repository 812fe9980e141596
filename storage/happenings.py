"""What happened in the swarm since some moment, for those who tell of it. Reads only."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from storage.core import AUDIT, DELEGATION, INBOX, MESSAGE, REPLY, run
from storage.delegation_tables import DelegationState
from storage.delegations import OPEN
from storage.project_log import PRIVATE
from storage.tables import InboxState, ReplyState
from storage.unit import Unit

#: outcome of an audit entry that is a warning
WARNED: Final = "warned"
_MOST: Final = 200
_STEERED: Final = ("kill", "resume")
_TOLD: Final = ("refused", WARNED)
_ENDED: Final = tuple(state for state in DelegationState if state not in OPEN)
_OPEN: Final = (InboxState.QUEUED, InboxState.WORKING)


@dataclass(frozen=True, kw_only=True)
class Steered:
    """A kill or a resume that was carried out."""

    at: datetime
    verb: str
    scope: str
    by: str
    door: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An act that the guard refused."""

    at: datetime
    agent: str
    verb: str
    target: str
    policy: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Warned:
    """Something that an agent wants people to know, such as a budget that is nearly spent."""

    at: datetime
    agent: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """What people should know of a stretch of the audit, in its order."""

    steered: list[Steered] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    warned: list[Warned] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What one agent said to another, or answered it."""

    at: datetime
    speaker: str
    listener: str
    network: str
    channel: str
    text: str
    is_answer: bool
    trace_id: str
    #: code of the private talk that it belongs to; empty: it was said in a place of talk
    talk: str = ""


@dataclass(frozen=True)
class Day:
    """One agent's inbox over a day."""

    answered: int = 0
    refused: int = 0
    #: answers that may or may not have arrived
    unknown: int = 0
    #: at this moment
    open: int = 0


@dataclass(frozen=True)
class Last:
    """The newest row of each kind."""

    audit: int
    inbox: int
    reply: int


async def last(unit: Unit) -> Last:
    columns = [sa.select(sa.func.max(t.c.id)).scalar_subquery() for t in (AUDIT, INBOX, REPLY)]
    row = (await run(unit, sa.select(*columns))).one()
    return Last(*(number or 0 for number in row))


async def decisions(unit: Unit, after: int, until: int) -> Decisions:
    """Kills and resumes as supervisors carried them out, refused acts and warnings, among audit
    entries with ids above `after` up to `until`; the newest 200.
    """
    c = AUDIT.c
    steered = sa.and_(c.verb.in_(_STEERED), c.outcome == "done")
    query = (
        sa.select(c.at, c.agent, c.verb, c.target, c.outcome, c.reason, c.details)
        .where(c.id > after, c.id <= until, sa.or_(c.outcome.in_(_TOLD), steered))
        .order_by(c.id.desc())
        .limit(_MOST)
    )
    rows = list(reversed((await run(unit, query)).all()))
    found = Decisions()
    for row in rows:
        details: dict[str, Any] = json.loads(row.details)
        if row.outcome == WARNED:
            found.warned.append(Warned(at=row.at, agent=row.agent, sentence=row.reason))
            continue
        if row.outcome == "refused":
            found.refusals.append(
                Refusal(
                    at=row.at,
                    agent=row.agent,
                    verb=row.verb,
                    target=row.target,
                    policy=str(details.get("policy", "")),
                    reason=row.reason,
                )
            )
            continue
        by, reason = str(details.get("by", "")), str(details.get("reason", row.reason))
        found.steered.append(
            Steered(
                at=row.at,
                verb=row.verb,
                scope=row.target,
                by=by,
                door=str(details.get("door", "")),
                # Without a reason the entry says by whom, once more.
                reason="" if reason == f"by {by}" else reason,
            )
        )
    return found


async def exchanges(unit: Unit, after: Last, until: Last) -> list[Exchange]:
    """Lines that an agent addressed to another one, answers to such lines, and what was said in
    private talks and answered; in the order of their time, the newest 200 of each.
    """
    i, m, r = INBOX.c, MESSAGE.c, REPLY.c
    among_agents = sa.and_(m.agent.is_not(None), m.agent != i.agent)
    said = (
        sa.select(m.said_at, m.agent, i.agent.label("to"), m.network, m.channel, m.text, m.trace_id)
        .join(MESSAGE, m.id == i.message_id)
        .where(i.id > after.inbox, i.id <= until.inbox, among_agents)
        .order_by(i.id.desc())
        .limit(_MOST)
    )
    answered = (
        sa.select(r.sending_at, r.agent, m.agent.label("to"), m.network, m.channel, r.text)
        .add_columns(r.trace_id)
        .select_from(REPLY.join(INBOX, i.id == r.inbox_id).join(MESSAGE, m.id == i.message_id))
        .where(r.id > after.reply, r.id <= until.reply, among_agents, r.part == 0)
        .where(r.state != str(ReplyState.FAILED))
        .order_by(r.id.desc())
        .limit(_MOST)
    )
    found = [
        Exchange(
            at=at,
            speaker=speaker,
            listener=listener,
            network=network,
            channel=channel,
            text=text,
            is_answer=is_answer,
            trace_id=trace_id,
        )
        for query, is_answer in ((said, False), (answered, True))
        for at, speaker, listener, network, channel, text, trace_id in reversed(
            (await run(unit, query)).all()
        )
    ]
    talked = await _talked(unit, after.audit, until.audit)
    return sorted([*found, *talked], key=lambda e: e.at)


async def _talked(unit: Unit, after: int, until: int) -> list[Exchange]:
    """Turns of private talks that ended, as the audit has it, after one entry up to another."""
    d, a = DELEGATION.c, AUDIT.c
    ended = sa.or_(*(a.details.contains(f'"to":"{state}"') for state in _ENDED))
    query = (
        sa.select(d.issued_at, d.finished_at, d.sender, d.agent, d.network, d.channel)
        .add_columns(d.is_private, d.instruction, d.result, d.error, d.talk, d.trace_id)
        .join(DELEGATION, d.code == sa.func.substr(a.target, len("delegation:") + 1))
        .where(a.id > after, a.id <= until, a.verb == "transition", ended, d.talk != "")
        .order_by(a.id.desc())
        .limit(_MOST)
    )
    found: list[Exchange] = []
    for row in (await run(unit, query)).all():
        channel = PRIVATE if row.is_private else row.channel
        shared = {"network": row.network, "channel": channel, "talk": row.talk}
        said = Exchange(
            at=row.issued_at,
            speaker=row.sender,
            listener=row.agent,
            text=row.instruction,
            is_answer=False,
            trace_id=row.trace_id,
            **shared,
        )
        answer = replace(
            said,
            at=row.finished_at,
            speaker=row.agent,
            listener=row.sender,
            text=row.result or row.error,
            is_answer=True,
        )
        found += [said, answer]
    return found


async def days(unit: Unit, since: datetime, until: datetime) -> dict[str, Day]:
    """What became of each agent's inbox from `since` on and before `until`, and what is open
    now.
    """
    c = INBOX.c
    query = (
        sa.select(c.agent, c.state, sa.func.count())
        .where(sa.or_(c.state.in_(_OPEN), sa.and_(c.settled_at >= since, c.settled_at < until)))
        .group_by(c.agent, c.state)
    )
    counts: dict[str, dict[str, int]] = {}
    for agent, state, number in await run(unit, query):
        counts.setdefault(agent, {})[state] = number
    return {
        agent: Day(
            answered=found.get(InboxState.ANSWERED, 0),
            refused=found.get(InboxState.REFUSED, 0),
            unknown=found.get(InboxState.UNKNOWN, 0),
            open=sum(found.get(state, 0) for state in _OPEN),
        )
        for agent, found in counts.items()
    }
