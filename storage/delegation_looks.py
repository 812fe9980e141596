"""What an agent's hands look for: what became of what they hold, what waits for them, what they
have to say. Asked at every nudge, so in one reading, by statements that are put together once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from storage.core import DELEGATION, run
from storage.delegation_tables import UNTAKEN, Delegation, DelegationState, Deliver
from storage.delegations import HELD, found
from storage.unit import Unit

_C: Final = DELEGATION.c
_COLUMNS: Final = [_C[name] for name in Delegation.model_fields]
_STANDING: Final = sa.select(_C.id, _C.state, _C.claim, _C.error).where(
    _C.id.in_(sa.bindparam("held", expanding=True))
)
_WAITING: Final = {
    only_passing: sa.select(_C.id)
    .where(
        _C.passed_to != "" if only_passing else sa.true(),
        _C.agent == sa.bindparam("whose"),
        _C.state == str(DelegationState.QUEUED),
        # What was never begun waits for no moment, and for no clock that went back.
        sa.or_(_C.claim == 0, _C.not_before <= sa.bindparam("now")),
        _C.expires_at > sa.bindparam("now"),
    )
    .order_by(_C.priority, _C.id)
    .limit(sa.bindparam("most"))
    for only_passing in (False, True)
}
_UNDELIVERED: Final = (
    sa.select(*_COLUMNS)
    .where(_C.deliver_by == sa.bindparam("whose"), _C.deliver == str(Deliver.OWED))
    .order_by(_C.id)
)
#: in the words of its index: a bound value would not be known to be in it
_ROUTED: Final = sa.select(sa.exists().where(UNTAKEN, _C.sender == sa.bindparam("whose")))


@dataclass(frozen=True)
class Standing:
    """How something that is worked on stands now."""

    state: str
    claim: int
    error: str

    def is_held(self, claim: int) -> bool:
        """Under this claim it may still be ended."""
        return self.claim == claim and self.state in HELD


@dataclass(frozen=True)
class Seen:
    """What one look found."""

    #: of what is in hand, without what is gone
    standing: Mapping[int, Standing]
    #: ids of what may be begun
    waiting: Sequence[int]
    #: results to say; none where that was not asked
    owed: Sequence[Delegation]
    #: there may be more to begin than these
    is_more: bool = False
    #: something it had somebody chosen for is not begun yet; False where that was not asked
    is_routed: bool = False


async def look(
    unit: Unit,
    agent: str,
    held: Collection[int],
    now: datetime,
    *,
    limit: int,
    page: int,
    owed: bool = True,
    routed: bool,
) -> Seen:
    """All that there may be to do for `agent`, who has `held` in hand and `limit` places free; of
    what is only passed on, which takes no place, at least `page`. `owed` and `routed`: whether it
    is asked for that, too.
    """
    ids, is_more = await _may_begin(unit, agent, now, limit, page)
    return Seen(
        standing=await _standing(unit, held) if held else {},
        waiting=ids,
        owed=await undelivered(unit, agent) if owed else (),
        is_more=is_more,
        is_routed=routed and await _is_routed(unit, agent),
    )


async def _may_begin(
    unit: Unit, agent: str, now: datetime, limit: int, page: int
) -> tuple[list[int], bool]:
    first = await waiting(unit, agent, now, limit=limit) if limit else []
    if len(first) < limit:
        # Nothing else waits.
        return first, False
    passing = await waiting(unit, agent, now, limit=page, only_passing=True)
    return list(dict.fromkeys((*first, *passing))), bool(first) or len(passing) == page


async def waiting(
    unit: Unit, agent: str, now: datetime, *, limit: int, only_passing: bool = False
) -> list[int]:
    """Ids of what `agent` may begin now (or pass on, and nothing else): smallest priority first,
    then oldest.
    """
    values = {"whose": agent, "now": now, "most": limit}
    return list((await run(unit, _WAITING[only_passing], values)).scalars())


async def undelivered(unit: Unit, agent: str) -> list[Delegation]:
    """Results that `agent` has to say, oldest first."""
    return found(await run(unit, _UNDELIVERED, {"whose": agent}))


async def _is_routed(unit: Unit, sender: str) -> bool:
    return bool((await run(unit, _ROUTED, {"whose": sender})).scalar())


async def untaken(
    unit: Unit, sender: str, agents: Collection[str], before: datetime, *, after: int, limit: int
) -> list[Delegation]:
    """What a router chose one of these agents for, and nobody has taken since before then, with ids
    above `after`.
    """
    # As a sum it leads no planner to go through the table in the order of its ids.
    number = _C.id + 0
    query = sa.select(*_COLUMNS).where(
        number > after,
        _C.sender == sender,
        _C.agent.in_(agents),
        _C.state == str(DelegationState.QUEUED),
        _C.chosen != "",
        _C.claim == 0,
        _C.issued_at < before,
    )
    return found(await run(unit, query.order_by(number).limit(limit)))


async def _standing(unit: Unit, ids: Collection[int]) -> dict[int, Standing]:
    rows = await run(unit, _STANDING, {"held": list(ids)})
    return {row.id: Standing(row.state, row.claim, row.error) for row in rows}
