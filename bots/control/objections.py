"""Who may decide a question to people, and why a yes, a no or a bill is not taken now. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.requests import Request
from storage.tables import RequestState


class NotTaken(Exception):
    """This press or word decides nothing; the text says why, to whose it was."""


@dataclass(frozen=True, kw_only=True)
class Voter:
    """Who decides, as the network vouches for it: never by what a card says."""

    #: as shown
    name: str
    #: Discord user id
    user: str | None = None
    roles: tuple[str, ...] = ()
    #: services account on IRC
    account: str | None = None

    @property
    def id(self) -> str:
        """What tells this person from others."""
        return self.user if self.user is not None else f"account:{(self.account or '').casefold()}"

    @property
    def evidence(self) -> Mapping[str, Any]:
        """What a decision of this person rests on."""
        if self.user is None:
            return {"account": self.account}
        return {"discord_user": self.user, "discord_roles": list(self.roles)}


def objection(request: Request | None, voter: Voter, now: datetime) -> str:
    """Why this person cannot decide this request now; empty when nothing speaks against it.

    Who may not decide learns nothing of it.
    """
    if request is None:
        return "There is no such request any more."
    if why := _stranger(request, voter):
        return why
    due = request.state is RequestState.PENDING and request.expires_at <= now
    state = RequestState.EXPIRED if due else request.state
    if state is RequestState.PENDING and request.quorum > 1 and voter.user is None:
        return (
            f"{request.code} takes {request.quorum} people, and only Discord tells them apart: "
            "decide there."
        )
    at = f"{request.decided_at or request.expires_at:%H:%M} UTC"
    return {
        RequestState.PENDING: "",
        RequestState.EXPIRED: f"{request.code} rejected itself at {at}.",
        RequestState.REJECTED: f"{request.code} was rejected by {request.decided_by} at {at}"
        + (f": {request.note}." if request.note else "."),
    }.get(state, f"{request.code} was approved by {request.decided_by} at {at}.")


def to_completion(request: Request | None, voter: Voter) -> str:
    """Why this person cannot say now what it cost; empty when nothing speaks against it."""
    if request is None:
        return "There is no such request any more."
    if why := _stranger(request, voter):
        return why
    code, at = request.code, f"{request.completed_at or request.created_at:%Y-%m-%d %H:%M} UTC"
    if request.state is RequestState.APPROVED and request.is_by_hand:
        return ""
    return {
        RequestState.PENDING: f"{code} is not approved yet.",
        RequestState.REJECTED: f"{code} was rejected: there is nothing to complete.",
        RequestState.EXPIRED: f"{code} rejected itself: there is nothing to complete.",
        RequestState.APPROVED: f"{code} is carried out by the swarm: nobody has to complete it.",
        RequestState.COMPLETED: f"{code} was completed by {request.completed_by or 'the swarm'} "
        f"at {at}.",
    }[request.state]


def _stranger(request: Request, voter: Voter) -> str:
    if request.approvers.include(voter.user, voter.roles, voter.account):
        return ""
    return f"{request.code} is for the operators to decide, and you are none of them."
