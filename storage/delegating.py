"""How a delegation goes from state to state: `queued → claimed → working → done | failed |
cancelled | expired`.

Each step is one UPDATE that is guarded by the state and the claim it leaves, and one entry in an
agent's audit chain, in the caller's transaction. A claim has a number: what a lost one brings is
refused, so every delegation has exactly one recorded outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from storage import audit, events, project_log
from storage.core import AGENT, DELEGATION, run
from storage.delegation_tables import Delegation, DelegationState, Deliver
from storage.delegations import HELD, OPEN, changed, found, many, tree
from storage.text import storable
from storage.unit import Unit

_C: Final = DELEGATION.c
#: work that was not beaten for so long counts as dead
SILENCE: Final = timedelta(seconds=90)
_QUEUED: Final = str(DelegationState.QUEUED)
_WORKING: Final = str(DelegationState.WORKING)
#: why what was begun and may not be repeated is given up
_ACTED: Final = "its worker died after it had begun to act, and nothing is done twice"
_OUT_OF_TRIES: Final = "its worker died, and so did those before it"


# Put together once, as in `storage.delegations`.
_CLAIM: Final = changed(
    {
        "state": str(DelegationState.CLAIMED),
        "claim": _C.claim + 1,
        "tries": _C.tries - 1,
        "epoch": sa.bindparam("by"),
        "beat_at": sa.bindparam("now"),
    },
    _C.id == sa.bindparam("wanted"),
    _C.agent == sa.bindparam("whose"),
    _C.state == _QUEUED,
    ~sa.exists().where(AGENT.c.name == sa.bindparam("whose"), AGENT.c.epoch > sa.bindparam("by")),
)
_FINISH: Final = changed(
    {
        name: sa.bindparam(name)
        for name in (
            *("state", "result", "error", "model", "cost_nusd"),
            *("deliver", "deliver_by", "delivered_proof", "finished_at"),
        )
    },
    _C.id == sa.bindparam("wanted"),
    _C.claim == sa.bindparam("under"),
    _C.state == sa.bindparam("left"),
    _C.state.in_(HELD),
    _C.deliver == sa.bindparam("said"),
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a delegation ends."""

    state: DelegationState
    result: str = ""
    error: str = ""
    model: str = ""
    cost_nusd: int = 0
    #: agent that says it where it is wanted; empty: nobody can, and `error` or `unsaid` says why
    deliver_by: str = ""
    unsaid: str = ""


async def claim(
    unit: Unit, delegation_id: int, agent: str, epoch: int, now: datetime
) -> Delegation | None:
    """Queued → claimed; None when another process was first, or a newer one of `agent` lives."""
    values = {"wanted": delegation_id, "whose": agent, "by": epoch, "now": now}
    rows = await run(unit, _CLAIM, values)
    return await _told(unit, found(rows), DelegationState.QUEUED, "", now)


async def beat(unit: Unit, held: Iterable[Delegation], now: datetime) -> set[int]:
    """Those of `held` that are still ours, and are said to be worked on."""
    ours = [(d.id, d.claim) for d in held]
    if not ours:
        return set()
    same = sa.tuple_(_C.id, _C.claim).in_(ours)
    change = sa.update(DELEGATION).where(same, _C.state.in_(HELD))
    rows = await run(unit, change.values(beat_at=now, state=_WORKING).returning(_C.id))
    return set(rows.scalars())


async def note_act(unit: Unit, held: Delegation) -> bool:
    """Something is about to be done that must not be done again; False when it is ours no more."""
    change = sa.update(DELEGATION).where(*_ours(held)).values(acted=True)
    return (await run(unit, change)).rowcount == 1


async def note_progress(unit: Unit, held: Delegation, words: str, now: datetime) -> bool:
    """How far it is, in its worker's words; False when it is ours no more."""
    change = sa.update(DELEGATION).where(*_ours(held))
    return (await run(unit, change.values(progress=words, beat_at=now))).rowcount == 1


async def finish(unit: Unit, held: Delegation, outcome: Outcome, now: datetime) -> bool:
    """Claimed or working → how it ended; False, and nothing is changed, when the claim was lost, or
    `held` is not how it stands any more: in its state, or in where its result is said.
    """
    deliver = held.deliver
    if held.deliver == Deliver.WANTED:
        deliver = str(Deliver.OWED if outcome.deliver_by else Deliver.FAILED)
    values = {
        "state": str(outcome.state),
        "result": storable(outcome.result),
        "error": storable(outcome.error),
        "model": outcome.model,
        "cost_nusd": outcome.cost_nusd,
        "deliver": deliver,
        "deliver_by": outcome.deliver_by,
        "delivered_proof": outcome.unsaid,
        "finished_at": now,
    }
    as_held = {
        "wanted": held.id,
        "under": held.claim,
        "left": str(held.state),
        "said": str(held.deliver),
    }
    rows = found(await run(unit, _FINISH, values | as_held))
    return await _told(unit, rows, held.state, outcome.error, now) is not None


async def put_back(
    unit: Unit,
    held: Delegation,
    *,
    why: str,
    not_before: datetime,
    now: datetime,
    was_tried: bool = True,
) -> bool:
    """Claimed or working → queued, for another try from `not_before` on; False as `finish`, and
    where it has begun to act: that is not tried again.

    Who only has to go, and has not `was_tried` it, leaves the number of tries as it was.
    """
    values = {"state": _QUEUED, "error": why, "not_before": not_before, "epoch": None}
    if not was_tried:
        values["tries"] = held.tries + 1
    rows = found(await run(unit, changed(values, *_ours(held), _C.acted.is_(False))))
    return await _told(unit, rows, held.state, why, now) is not None


async def cancel(unit: Unit, delegation: Delegation, why: str, now: datetime) -> list[Delegation]:
    """End it and everything that was made for it; gives those that were open until now."""
    ended: list[Delegation] = []
    # What was added to the tree while this went on is ended too.
    while open_ones := await _open_below(unit, delegation):
        ended += await _end(unit, open_ones, DelegationState.CANCELLED, why, now)
    return ended


async def expire(unit: Unit, now: datetime, limit: int = 100) -> list[Delegation]:
    """End what nobody finished by its deadline; gives those."""
    over = await many(unit, sa.and_(_C.state.in_(OPEN), _C.expires_at <= now), to_change=True)
    return await _end(
        unit, over[:limit], DelegationState.EXPIRED, "nobody finished it by its deadline", now
    )


async def reclaim(
    unit: Unit, now: datetime, silence: timedelta, *, of: tuple[str, int] | None = None
) -> list[Delegation]:
    """Take back what died with its worker: silent for so long, or held by an older process than the
    one that lives. Queued again where that can be done, failed where it cannot; gives both.

    `of` are an agent and the epoch of its process: only what older ones of it left.
    """
    overtaken = sa.exists().where(AGENT.c.name == _C.agent, AGENT.c.epoch > _C.epoch)
    lost: sa.ColumnElement[bool] = sa.or_(_C.beat_at < now - silence, overtaken)
    if of is not None:
        lost = sa.and_(_C.agent == of[0], _C.epoch < of[1])
    left = await many(unit, sa.and_(_C.state.in_(HELD), lost), to_change=True)
    taken: list[Delegation] = []
    for delegation in left:
        if delegation.acted or delegation.tries <= 0:
            why = _ACTED if delegation.acted else _OUT_OF_TRIES
            ended = await _end(unit, [delegation], DelegationState.FAILED, why, now)
            taken += ended
        elif await put_back(unit, delegation, why="its worker died", not_before=now, now=now):
            taken.append(delegation)
    return taken


async def redirect(unit: Unit, anew: Delegation) -> Delegation | None:
    """Its result shall be said where `anew` says, under the envelope that it carries; None when it
    has ended, or is said somewhere already.
    """
    names = ("deliver_to", "key_id", "signature")
    values = {name: getattr(anew, name) for name in names} | {"deliver": str(Deliver.WANTED)}
    where = (_C.id == anew.id, _C.state.in_(OPEN), _C.deliver == str(Deliver.NOWHERE))
    rows = found(await run(unit, changed(values, *where)))
    return rows[0] if rows else None


async def reroute(unit: Unit, queued: Delegation, anew: Delegation, now: datetime) -> bool:
    """Nobody has taken it: the agent that `anew` names shall, under the envelope that it carries;
    False when somebody has taken it meanwhile.
    """
    names = ("agent", "passed_to", "key_id", "signature", "chosen")
    values = {name: getattr(anew, name) for name in names}
    where = (_C.id == queued.id, _C.state == _QUEUED, _C.agent == queued.agent)
    rows = found(await run(unit, changed(values, *where)))
    why = f"{queued.agent} did not take it: now it is {anew.agent}'s"
    return await _told(unit, rows, DelegationState.QUEUED, why, now) is not None


async def _open_below(unit: Unit, delegation: Delegation) -> list[Delegation]:
    """What has not ended yet of it and of all that was made for it."""
    family = await tree(unit, delegation.root_id or 0, to_change=True)
    below = {delegation.id}
    for member in family:  # a child is younger than its parent
        if member.parent_id in below:
            below.add(member.id)
    return [m for m in family if m.id in below and m.state in OPEN]


def _ours(held: Delegation) -> tuple[sa.ColumnElement[bool], ...]:
    return (_C.id == held.id, _C.claim == held.claim, _C.state.in_(HELD))


async def _end(
    unit: Unit, open_ones: Sequence[Delegation], state: DelegationState, why: str, now: datetime
) -> list[Delegation]:
    ended: list[Delegation] = []
    for before in open_ones:
        wanted = before.deliver == Deliver.WANTED
        values = {
            "state": str(state),
            "error": why,
            "finished_at": now,
            "deliver": str(Deliver.FAILED) if wanted else before.deliver,
            "delivered_proof": why if wanted else before.delivered_proof,
        }
        same = (_C.id == before.id, _C.state == before.state, _C.claim == before.claim)
        rows = found(await run(unit, changed(values, *same)))
        await _told(unit, rows, before.state, why, now)
        ended += rows
    return ended


async def _told(
    unit: Unit, rows: list[Delegation], before: str, why: str, now: datetime
) -> Delegation | None:
    """The one row that changed, with its transition in its agent's audit chain."""
    if not rows:
        return None
    [after] = rows
    await audit.append(
        unit,
        agent=after.agent,
        at=now,
        verb="transition",
        target=f"delegation:{after.code}",
        outcome="done",
        reason=why or f"{before} → {after.state}",
        details={"from": str(before), "to": str(after.state), "claim": after.claim},
        trace_id=after.trace_id,
    )
    if after.state not in OPEN:
        await events.delegation_ended(unit, after, now)
        await project_log.delegation_ended(unit, after, now)
    return after
