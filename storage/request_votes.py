"""Questions that several people have to say yes to: each person's yes, counted once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from storage import audit
from storage.core import HUMAN_REQUEST, REQUEST_VOTE, insert, one_at_a_time, run
from storage.requests import Request
from storage.tables import RequestState
from storage.unit import Unit


async def add(
    unit: Unit, request: Request, voter: str, name: str, now: datetime
) -> list[str] | None:
    """This person's yes; the names of all who have said it by now, None when they had already.

    Until it is decided the request's note says who did, and its card is to be drawn again.
    """
    # Two who say yes at once must see each other, or neither is the last.
    await one_at_a_time(unit, f"request:{request.id}")
    c = REQUEST_VOTE.c
    values = {"request_id": request.id, "voter": voter, "name": name, "at": now}
    vote = insert(unit, REQUEST_VOTE).values(**values)
    unique = vote.on_conflict_do_nothing(index_elements=["request_id", "voter"])
    if (await run(unit, unique.returning(c.id))).one_or_none() is None:
        return None
    query = sa.select(c.name).where(c.request_id == request.id).order_by(c.id)
    names = list((await run(unit, query)).scalars())
    note = f"{' and '.join(names)} said yes: {len(names)} of {request.quorum}"
    h = HUMAN_REQUEST.c
    change = sa.update(HUMAN_REQUEST).where(
        h.id == request.id, h.state == str(RequestState.PENDING)
    )
    await run(unit, change.values(note=note, shown=""))
    await audit.append(
        unit,
        agent=request.agent,
        at=now,
        verb="vote",
        target=f"request:{request.code}",
        outcome="done",
        reason=note,
        details={"voter": voter, "yes": len(names), "quorum": request.quorum},
        trace_id=request.trace_id,
    )
    return names
