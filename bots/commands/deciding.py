"""The commands that decide what waits for people: pending, approve, reject, complete.

Who may decide a request stands in the request, and is compared where it is decided.
"""

from __future__ import annotations

import re
from typing import Any, Final

from bots.commands import reading
from bots.commands.asked import Asked
from bots.commands.registry import Arguments, Command, Desk, Kind, Option, Unclear
from bots.control.objections import NotTaken, Voter
from bots.control.request_words import ending_of, line_of
from bots.messages import DISCORD
from storage import requests
from storage.request import Request

_ID: Final = re.compile(r"(?:AP-?)?([1-9]\d{0,17})", re.IGNORECASE | re.ASCII)
_SUM: Final = r"[$€£¥]?[\d.,]+(?: ?[A-Za-z]{3,4})?"
#: letters between two numbers belong to the first one
_TWO_SUMS: Final = re.compile(
    rf"({_SUM}|[A-Za-z]{{3,4}} ?[\d.,]+) +(?:return +)?({_SUM})", re.ASCII
)
_SHOWN: Final = 15
_ID_OPTION: Final = Option("id", "Such as AP-12", Kind.CODE, required=True)


async def _pending(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    voter = _voter(asked)
    open_ones = await desk.store.read(requests.undone)
    mine = [r for r in open_ones if r.approvers.include(voter.user, voter.roles, voter.account)]
    if not mine:
        return "Nothing waits for you."
    lines = [line_of(request) for request in mine[:_SHOWN]]
    more = len(mine) - _SHOWN
    return "\n".join([*lines, *([f"and {more} more"] if more > 0 else [])])


async def _approve(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    return await _decided(desk, asked, arguments, approved=True)


async def _reject(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    return await _decided(desk, asked, arguments, approved=False)


async def _decided(desk: Desk, asked: Asked, arguments: Arguments, *, approved: bool) -> str:
    request_id, note = _id(arguments), str(arguments.get("reason") or "")
    voter = _voter(asked)
    try:
        decided = await desk.requests.decide(request_id, voter, approved=approved, note=note)
    except NotTaken as error:
        return str(error)
    return _answer(decided)


async def _complete(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    try:
        done = await desk.requests.complete(
            _id(arguments),
            _voter(asked),
            cost=str(arguments["cost"]),
            gain=str(arguments.get("return") or ""),
        )
    except NotTaken as error:
        return str(error)
    return ending_of(done)


def _answer(request: Request) -> str:
    if request.quorum > 1 and request.note and not request.decided_by:
        return f"{request.code}: {request.note}."
    then = f" Once it is done: /complete {request.code} COST." if request.is_by_hand else ""
    return f"{ending_of(request)}{then if request.decided_by and not request.is_over else ''}"


def _voter(asked: Asked) -> Voter:
    """Who asks, as the network vouches for it. A signature names nobody, so it decides nothing."""
    if asked.network == DISCORD:
        return Voter(name=asked.sender, user=asked.account, roles=asked.roles)
    return Voter(name=asked.sender, account=asked.account)


def _id(arguments: Arguments) -> int:
    found = _ID.fullmatch(str(arguments["id"]).strip())
    if found is None:
        raise Unclear("Say which one, as in AP-12; pending lists them.")
    return int(found[1])


def _id_and(name: str, *, required: bool) -> reading.Read:
    """``AP-12`` and what follows it, called `name`."""

    def read(words: str) -> dict[str, Any] | None:
        code, _, rest = words.strip().partition(" ")
        rest = rest.strip()
        if not code or (required and not rest):
            return None
        return {"id": code, **({name: rest} if rest else {})}

    return read


def _bill(words: str) -> dict[str, Any] | None:
    """``AP-12 11.90 EUR``, and what it brought behind that: ``AP-12 11.90 EUR 40 EUR``."""
    given = _id_and("cost", required=True)(words)
    two = _TWO_SUMS.fullmatch(given["cost"]) if given else None
    return given if given is None or two is None else {**given, "cost": two[1], "return": two[2]}


DECIDING = (
    Command(
        name="pending",
        summary="what waits for your decision, or to be done by you",
        read=reading.nothing,
        run=_pending,
        operators=True,
        private=True,
    ),
    Command(
        name="approve",
        usage="ID [NOTE]",
        summary="say yes to a request",
        options=(_ID_OPTION, Option("reason", "A word on it; it stays on record")),
        read=_id_and("reason", required=False),
        run=_approve,
        operators=True,
        private=True,
    ),
    Command(
        name="reject",
        usage="ID REASON",
        summary="say no to a request",
        options=(_ID_OPTION, Option("reason", "Why; it stays on record", required=True)),
        read=_id_and("reason", required=True),
        run=_reject,
        operators=True,
        private=True,
    ),
    Command(
        name="complete",
        usage="ID COST [RETURN]",
        summary="what was approved is done, and what it really cost",
        options=(
            _ID_OPTION,
            Option("cost", "As in 11.90 EUR, $12 or 0", Kind.SUM, required=True),
            Option("return", "What it brought, if that is known", Kind.SUM),
        ),
        read=_bill,
        run=_complete,
        operators=True,
        private=True,
    ),
)
