"""A question to people in words: on a card, in a list, in a message. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from brain.money import Money, amount
from storage.request import CASES, Request, RequestKind
from storage.tables import RequestState

#: what people call each kind
CALLED: Final = {
    RequestKind.RESTART: "restart",
    RequestKind.GATE: "gate of a workflow",
    RequestKind.PAYMENT: "payment",
    RequestKind.DESIGN: "design decision",
    RequestKind.ACCOUNT: "API account",
    RequestKind.CONTENT: "content approval",
    RequestKind.STRATEGY: "strategic decision",
}
_CROPPED: Final = 80


def called(kind: str) -> str:
    """What people call this kind."""
    return CALLED.get(RequestKind(kind), kind) if kind in set(RequestKind) else kind


def sums_of(request: Request) -> Iterator[tuple[str, str]]:
    """Label and sum, of those that are known."""
    for label, micros in (
        ("Estimated cost", request.cost_micros),
        ("Expected return", request.return_micros),
        ("Real cost", request.paid_micros),
        ("Real return", request.earned_micros),
    ):
        if micros is not None:
            yield label, str(Money(micros, request.currency))


def facts_of(request: Request) -> Iterator[tuple[str, str]]:
    """Label and value of all that who decides should know, in the order shown."""
    yield "Asked by", request.asked_by
    if request.kind in CASES:
        yield "Kind", called(request.kind)
    yield from sums_of(request)
    yield from request.facts
    if request.attempt:
        yield "Tried first", request.attempt
    for number, source in enumerate(request.sources, 1):
        yield f"Evidence {number}", source
    scheme, _, waits = request.reference.partition(":")
    if waits:
        yield "Waits", waits if scheme == "delegation" or waits[0] in "#&" else "talk in private"


def line_of(request: Request) -> str:
    """The question in one line, as in a list."""
    cost = ""
    if request.cost_micros is not None:
        cost = f", {amount(request.cost_micros)} {request.currency}"
    title = request.title if len(request.title) <= _CROPPED else f"{request.title[:_CROPPED]}…"
    head = f"{request.code} {called(request.kind)}: {title} ({request.asked_by}{cost})"
    if request.state is RequestState.APPROVED:
        return f"{head}: approved by {request.decided_by}, to be done and completed"
    until = f"{request.expires_at:%Y-%m-%d %H:%M} UTC"
    so_far = f", {request.note}" if request.quorum > 1 and request.note else ""
    return f"{head}: rejects itself at {until}{so_far}"


def ending_of(request: Request) -> str:
    """What became of it, in a sentence."""
    note = f": {request.note}" if request.note else ""
    code = request.code
    match request.state:
        case RequestState.PENDING:
            return f"{code} waits for the operators until {request.expires_at:%Y-%m-%d %H:%M} UTC."
        case RequestState.APPROVED:
            return f"{code} was approved by {request.decided_by}{note}."
        case RequestState.REJECTED:
            return f"{code} was rejected by {request.decided_by}{note}."
        case RequestState.EXPIRED:
            return f"{code} rejected itself: nobody decided in time."
    real = "; ".join(f"{label.lower()} {money}" for label, money in sums_of(request))
    done = f"{code} was approved by {request.decided_by}{note}, and done by {request.completed_by}"
    if not request.completed_by:
        return f"{code} was approved by {request.decided_by}{note}."
    outcome = f" ({request.outcome})" if request.outcome not in {"", "done"} else ""
    return f"{done}{outcome}: {real}." if real else f"{done}{outcome}."
