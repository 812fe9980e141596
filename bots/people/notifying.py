"""How a word reaches somebody: what every way has in common, and the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bots.control.request_words import called, facts_of
from bots.messages import Delivery
from brain.guard import Guard
from brain.money import Money
from storage.acts import Act, Permit
from storage.request import Request


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One word to one recipient."""

    request: Request
    recipient: str
    #: names it for good, in at most 25 characters
    key: str
    #: how often it was said before
    round: int


class Notifier(Protocol):
    """One way to people."""

    def recipients(self, request: Request) -> Sequence[str]:
        """Typed addresses of whom it tells of this request."""

    async def send(self, notice: Notice) -> Delivery:
        """Say it, under a permit of its own; raises `Refused` before anything has left.

        What did not leave for now is ``unsaid``; what may have arrived is ``unknown``.
        """


async def permit(guard: Guard, notice: Notice) -> Permit:
    """The guard's yes to sending this word; raises `Refused`."""
    request = notice.request
    act = Act(
        agent=request.agent,
        verb="send",
        target=notice.recipient,
        reason=f"{request.code} waits",
        trace_id=request.trace_id,
        details={"request": request.code, "round": notice.round},
    )
    return await guard.permit(act)


def headline(request: Request) -> str:
    """What waits, in one line without an end of line."""
    title = " ".join(request.title.split())
    return f"{request.code} waits for your yes or no: {called(request.kind)}: {title}"


def text(request: Request) -> str:
    """All that who decides should know, and how it is decided."""
    decide = f"/approve {request.code} or /reject {request.code} REASON"
    lines = [
        headline(request),
        *([" ".join(request.reason.split())] if request.reason else []),
        "",
        *(f"{label}: {' '.join(value.split())}" for label, value in facts_of(request)),
        f"Rejects itself: {until(request)}. Silence is a no.",
        "",
        f"Decide on its card in {request.channel}, or say there {decide}.",
    ]
    return "\n".join(lines)


def words(request: Request, round_: int) -> dict[str, str]:
    """What a webhook's texts may name; `bots.escalation_settings.PLACEHOLDERS` but for secrets."""
    cost = request.cost_micros
    return {
        "code": request.code,
        "kind": called(request.kind),
        "title": " ".join(request.title.split()),
        "reason": " ".join(request.reason.split()),
        "cost": "" if cost is None else str(Money(cost, request.currency)),
        "asked_by": request.asked_by,
        "until": until(request),
        "text": text(request),
        "round": str(round_ + 1),
    }


def until(request: Request) -> str:
    return f"{request.expires_at:%Y-%m-%d %H:%M} UTC"
