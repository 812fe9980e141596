"""What can be asked of the ledger, as values, and whether a permit is for exactly that. Pure.

A permit names the sum and the accounts (its act's details are the order's), so the audit tells what
was allowed, and a permit for five credits moves no fifty.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from storage.acts import Act, Permit
from storage.errors import LedgerRefused, PermitRefused
from storage.ledger_values import Hold

TREASURY: Final = "treasury"
ESCROW: Final = "escrow"
FEES: Final = "fees"
#: whose act it is to mint: the chain of what operators do, and a name that no agent can have
OPERATORS: Final = "supervisor"
#: a thousand million credits
MOST_MICROCREDITS: Final = 10**15
_ACCOUNT: Final = re.compile(r"(?P<kind>agent|person):\S{1,100}")
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:#-]{0,99}", re.ASCII)


class AccountKind(StrEnum):
    AGENT = "agent"
    PERSON = "person"
    TREASURY = "treasury"
    ESCROW = "escrow"
    FEES = "fees"


class Kind(StrEnum):
    """What a transfer is."""

    MINT = "mint"
    PAY = "pay"
    #: the payer's into escrow
    HOLD = "hold"
    #: out of escrow: to the payee, to the fees, back to the payer
    CAPTURE = "capture"
    FEE = "fee"
    VOID = "void"
    #: from the payee back to the payer, after a capture
    REFUND = "refund"


#: acts by which a transfer may come about
VERBS: Final = {
    Kind.MINT: {"mint"},
    Kind.PAY: {"pay"},
    Kind.HOLD: {"hold"},
    Kind.CAPTURE: {"capture"},
    Kind.FEE: {"capture"},
    Kind.VOID: {"void", "sweep"},
    Kind.REFUND: {"refund"},
}


@dataclass(frozen=True, kw_only=True)
class Order:
    """Raises `LedgerRefused` for sums, ids and accounts that cannot be."""

    verb: ClassVar[str]

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name.endswith("microcredits"):
                _check_sum(value, least=0 if name.startswith("fee") else 1)
            elif name in {"account", "payer", "payee"}:
                owned(value)
            elif name in {"code", "hold"} and not _CODE.fullmatch(value):
                raise LedgerRefused(
                    "an id is 1 to 100 letters, digits and . _ : # -, and begins with none of these"
                )

    @property
    def target(self) -> str:
        """What a permit for it is for."""
        return "ledger:overdue"

    @property
    def details(self) -> dict[str, Any]:
        """What the act must say of it."""
        found = asdict(self)
        return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in found.items()}


@dataclass(frozen=True, kw_only=True)
class _ToPayee(Order):
    code: str
    payer: str
    payee: str
    microcredits: int

    @property
    def target(self) -> str:
        return f"account:{self.payee}"


@dataclass(frozen=True, kw_only=True)
class _OfHold(Order):
    hold: str

    @property
    def target(self) -> str:
        return f"hold:{self.hold}"


@dataclass(frozen=True, kw_only=True)
class Mint(Order):
    verb: ClassVar[str] = "mint"
    code: str
    account: str
    microcredits: int
    #: the person whose act it is
    operator: str

    @property
    def target(self) -> str:
        return f"account:{self.account}"


@dataclass(frozen=True, kw_only=True)
class Pay(_ToPayee):
    """Give credits at once and for good."""

    verb: ClassVar[str] = "pay"


@dataclass(frozen=True, kw_only=True)
class Authorise(_ToPayee):
    """Set credits aside for the payee until a deadline. `code` is the hold's; `arbiter` is an agent
    that may capture and void it besides the two, such as the validator.
    """

    verb: ClassVar[str] = "hold"
    deadline: datetime
    arbiter: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.payer == self.payee or f"agent:{self.arbiter}" in {self.payer, self.payee}:
            raise LedgerRefused("a hold has two parties, and its arbiter is neither")


@dataclass(frozen=True, kw_only=True)
class Capture(_OfHold):
    """Give the payee so much of a hold, less a fee."""

    verb: ClassVar[str] = "capture"
    code: str
    microcredits: int
    #: part of `microcredits`, and less than it
    fee_microcredits: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fee_microcredits >= self.microcredits:
            raise LedgerRefused("a fee is less than what is captured")


@dataclass(frozen=True, kw_only=True)
class Void(_OfHold):
    """Give the payer back what is left of a hold."""

    verb: ClassVar[str] = "void"


@dataclass(frozen=True, kw_only=True)
class Refund(_OfHold):
    """Give the payer back so much of what the payee got."""

    verb: ClassVar[str] = "refund"
    code: str
    microcredits: int


@dataclass(frozen=True, kw_only=True)
class Sweep(Order):
    """Void every hold whose deadline has passed."""

    verb: ClassVar[str] = "sweep"


def act_for(order: Order, *, agent: str, reason: str, trace_id: str) -> Act:
    """What to ask the guard for."""
    return Act(
        agent=agent,
        verb=order.verb,
        target=order.target,
        reason=reason,
        trace_id=trace_id,
        details=order.details,
    )


def check(permit: Permit, order: Order, *, now_s: float) -> None:
    """Raise `PermitRefused` unless the permit is for exactly this order, and still fresh."""
    permit.check(order.verb, order.target, now_s=now_s)
    said = permit.act.details
    other = [name for name, value in order.details.items() if said.get(name) != value]
    if other:
        raise PermitRefused(
            f"permit for {order.verb} {order.target} says otherwise of {', '.join(other)}"
        )
    is_operators = permit.act.agent == OPERATORS
    if isinstance(order, Mint) and not (is_operators and order.operator):
        raise PermitRefused("credits are minted by the treasury alone, at an operator's word")
    if isinstance(order, Sweep) and not is_operators:
        raise PermitRefused("deadlines are kept by the operators' processes alone")


def check_owner(permit: Permit, account: str) -> None:
    """Raise `PermitRefused` where one agent would spend what is another's. For a person any agent
    may act whose permit names the account.
    """
    if owned(account) is AccountKind.AGENT and account != f"agent:{permit.act.agent}":
        raise PermitRefused(f"{permit.act.agent} may not spend what is in {account}")


def check_decider(permit: Permit, hold: Hold, *sides: str) -> None:
    """Raise `PermitRefused` unless it is for one of these sides of a hold to decide that, or for
    its arbiter or an operator. For a person's side any agent may act but the other side's.
    """
    agent = permit.act.agent
    account = f"agent:{agent}"
    if agent in {OPERATORS, hold.arbiter} or account in sides:
        return
    if account in {hold.payer, hold.payee} or AccountKind.PERSON not in map(owned, sides):
        raise PermitRefused(f"{agent} does not decide that about {hold.code}")


def owned(account: str) -> AccountKind:
    """Whether it is an agent's or a person's; raises `LedgerRefused` for every other name."""
    found = _ACCOUNT.fullmatch(account) if account.isprintable() else None
    if found is None:
        raise LedgerRefused("an account is agent:NAME or person:ADDRESS, such as agent:captain")
    return AccountKind(found["kind"])


def _check_sum(value: object, *, least: int) -> None:
    # bool is an int, and 1.0 equals 1.
    if type(value) is not int or not least <= value <= MOST_MICROCREDITS:
        raise LedgerRefused(f"a sum is a whole number of micro-credits, {least} to 10^15")
