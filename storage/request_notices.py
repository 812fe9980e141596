"""Words to people that a request waits, beside its card: each to one recipient, once.

A row is there before the word leaves. Who takes over from a dead process cannot know whether it
left: such a word is unknown, shown, and not said again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from storage import audit
from storage.core import HUMAN_REQUEST, REQUEST_NOTICE, insert, run
from storage.happenings import WARNED
from storage.request import Request
from storage.request_tables import NoticeState, RequestNotice
from storage.tables import RequestState
from storage.unit import Unit

_C: Final = REQUEST_NOTICE.c
_COLUMNS: Final = [_C[name] for name in RequestNotice.model_fields]
_KEY: Final = ["request_id", "step", "round", "recipient"]
_DIED: Final = "its sender died over it: it may have arrived"


@dataclass(frozen=True, kw_only=True)
class Word:
    """One word before it is sent."""

    request_id: int
    #: place of its step in the chain, from 0, and how often that was taken before
    step: int
    round: int
    #: typed: ``discord:user:45``, ``email:ops@example.org``, ``webhook:ntfy.example.org``
    recipient: str


async def begin(unit: Unit, word: Word, sender: str, now: datetime) -> RequestNotice | None:
    """It is about to be sent; None when it was already, or need not be any more."""
    h = HUMAN_REQUEST.c
    waits = sa.select(h.id).where(
        h.id == word.request_id, h.state == str(RequestState.PENDING), h.expires_at > now
    )
    if (await run(unit, waits)).first() is None:
        return None
    values = {**vars(word), "sender": sender, "at": now}
    first = insert(unit, REQUEST_NOTICE).values(
        **values, state=str(NoticeState.SENDING), tries=1, proof=""
    )
    once = first.on_conflict_do_nothing(index_elements=_KEY).returning(*_COLUMNS)
    if row := (await run(unit, once)).mappings().one_or_none():
        return _notice(row)
    again = sa.update(REQUEST_NOTICE).where(
        *(_C[name] == values[name] for name in _KEY),
        _C.state == str(NoticeState.WAITING),
        _C.not_before <= now,
    )
    change = again.values(
        state=str(NoticeState.SENDING), tries=_C.tries + 1, sender=sender, at=now, not_before=None
    )
    row = (await run(unit, change.returning(*_COLUMNS))).mappings().one_or_none()
    return None if row is None else _notice(row)


async def settle(
    unit: Unit,
    notice: RequestNotice,
    request: Request,
    *,
    state: NoticeState,
    proof: str,
    now: datetime,
    not_before: datetime | None = None,
) -> bool:
    """What became of what was begun; False when it is another process's by now. What people may not
    have got is warned of in the audit.
    """
    change = sa.update(REQUEST_NOTICE).where(
        _C.id == notice.id,
        _C.state == str(NoticeState.SENDING),
        _C.sender == notice.sender,
        _C.tries == notice.tries,
    )
    values = {"state": str(state), "proof": proof, "at": now, "not_before": not_before}
    if (await run(unit, change.values(**values))).rowcount != 1:
        return False
    if state in {NoticeState.FAILED, NoticeState.UNKNOWN}:
        await _warn(unit, notice, request, state, proof, now)
    return True


async def orphans(unit: Unit, agent: str, sender: str) -> list[RequestNotice]:
    """Words about requests of `agent` that some other process than `sender` had begun."""
    h = HUMAN_REQUEST.c
    query = (
        sa.select(*_COLUMNS)
        .join(HUMAN_REQUEST, h.id == _C.request_id)
        .where(h.agent == agent, _C.state == str(NoticeState.SENDING), _C.sender != sender)
    )
    return [_notice(row) for row in (await run(unit, query)).mappings()]


async def give_up(unit: Unit, notice: RequestNotice, request: Request, now: datetime) -> None:
    """An orphan is unknown from now on."""
    await settle(unit, notice, request, state=NoticeState.UNKNOWN, proof=_DIED, now=now)


async def of_requests(unit: Unit, request_ids: Collection[int]) -> list[RequestNotice]:
    """All words about these requests, oldest first."""
    query = sa.select(*_COLUMNS).where(_C.request_id.in_(request_ids)).order_by(_C.id)
    return [_notice(row) for row in (await run(unit, query)).mappings()]


async def _warn(  # noqa: PLR0917  what, about what, how, why and when: a sentence
    unit: Unit,
    notice: RequestNotice,
    request: Request,
    state: NoticeState,
    proof: str,
    now: datetime,
) -> None:
    how = "was not sent" if state is NoticeState.FAILED else "may not have arrived"
    await audit.append(
        unit,
        agent=request.agent,
        at=now,
        verb="notice",
        target=notice.recipient,
        outcome=WARNED,
        reason=f"word of {request.code} to {notice.recipient} {how}: {proof}",
        details={"request": request.code, "step": notice.step, "round": notice.round},
        trace_id=request.trace_id,
    )


def _notice(row: Mapping[Any, Any]) -> RequestNotice:
    return RequestNotice(**row)
