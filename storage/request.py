"""A question to people as values: what is asked, who may decide, what may come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from storage.tables import RequestState


class RequestKind(StrEnum):
    """What is asked for."""

    #: a new process for an agent
    RESTART = "restart"
    #: a workflow waits for it
    GATE = "gate"
    PAYMENT = "payment"
    DESIGN = "design"
    #: an account or a key with somebody's API
    ACCOUNT = "account"
    CONTENT = "content"
    STRATEGY = "strategy"


#: what agents ask of people, through the captain's desk
CASES: Final = (
    RequestKind.PAYMENT,
    RequestKind.DESIGN,
    RequestKind.ACCOUNT,
    RequestKind.CONTENT,
    RequestKind.STRATEGY,
)
#: of those, the ones that a person carries out after the yes; of the others the yes is all there is
_BY_HAND: Final = frozenset({RequestKind.PAYMENT, RequestKind.ACCOUNT})

#: what a request may become from what it is
NEXT: Final[Mapping[RequestState, frozenset[RequestState]]] = {
    RequestState.PENDING: frozenset(
        {RequestState.APPROVED, RequestState.REJECTED, RequestState.EXPIRED}
    ),
    RequestState.APPROVED: frozenset({RequestState.COMPLETED}),
    RequestState.COMPLETED: frozenset(),
    RequestState.REJECTED: frozenset(),
    RequestState.EXPIRED: frozenset(),
}


@dataclass(frozen=True)
class Approvers:
    """Who may decide: ids on the network where the question is shown, and services accounts."""

    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    #: on IRC, as the network vouches for them
    accounts: tuple[str, ...] = ()

    def include(self, user: str | None, roles: Sequence[str], account: str | None = None) -> bool:
        if account is not None and account.casefold() in {a.casefold() for a in self.accounts}:
            return True
        return user in self.users or any(role in self.roles for role in roles)


@dataclass(frozen=True, kw_only=True)
class Request:
    """One question as plain values; see `storage.request_tables.HumanRequest` for the columns."""

    id: int
    code: str
    agent: str
    kind: str
    subject: str
    title: str
    facts: tuple[tuple[str, str], ...]
    reason: str = ""
    sources: tuple[str, ...] = ()
    attempt: str = ""
    currency: str = ""
    cost_micros: int | None = None
    return_micros: int | None = None
    asked_by: str
    approvers: Approvers
    network: str
    channel: str
    message_id: str | None
    shown: str
    #: so many different people have to say yes; until then `note` says who did
    quorum: int = 1
    state: RequestState
    created_at: datetime
    expires_at: datetime
    decided_by: str
    evidence: Mapping[str, Any]
    decided_at: datetime | None
    note: str
    outcome: str
    paid_micros: int | None = None
    earned_micros: int | None = None
    completed_by: str = ""
    completed_at: datetime | None = None
    waiter: str = ""
    reference: str = ""
    awaited_until: datetime | None = None
    told: str = ""
    trace_id: str

    @property
    def is_over(self) -> bool:
        """Nothing more comes of it."""
        return not NEXT[self.state]

    @property
    def is_by_hand(self) -> bool:
        """After the yes a person does it, and says what it cost."""
        if self.kind not in CASES:
            return False
        return self.kind in _BY_HAND or bool(self.cost_micros)


@dataclass(frozen=True, kw_only=True)
class NewRequest:
    """A question before it is asked; no field may hold a secret."""

    agent: str
    kind: str
    subject: str
    title: str
    facts: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    sources: tuple[str, ...] = ()
    attempt: str = ""
    currency: str = ""
    cost_micros: int | None = None
    return_micros: int | None = None
    asked_by: str
    approvers: Approvers
    network: str
    channel: str
    quorum: int = 1
    expires_at: datetime
    waiter: str = ""
    reference: str = ""
    awaited_until: datetime | None = None
    trace_id: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Somebody's yes or no; that they may decide is the caller's to have checked."""

    approved: bool
    by: str
    #: what shows that they may, for whoever carries it out
    evidence: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Completion:
    """What it cost and brought in the end, as the person says who did it."""

    by: str
    currency: str
    paid_micros: int | None
    earned_micros: int | None = None
