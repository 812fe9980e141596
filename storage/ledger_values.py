"""A transfer and a hold as values; the rows are `storage.ledger_tables`, column by column. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class HoldState(StrEnum):
    HELD = "held"
    #: all that was not captured is voided, and the other way round
    CAPTURED = "captured"
    VOIDED = "voided"
    SPLIT = "split"


@dataclass(frozen=True, kw_only=True, slots=True)
class Transfer:
    id: int
    code: str
    kind: str
    debit: str
    credit: str
    amount_microcredits: int
    hold_id: int | None
    agent: str
    audit_hash: str
    reason: str
    at: datetime
    trace_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    id: int
    code: str
    payer: str
    payee: str
    #: agent that may decide besides the two; empty: none
    arbiter: str
    amount_microcredits: int
    held_microcredits: int
    captured_microcredits: int = 0
    fees_microcredits: int = 0
    voided_microcredits: int = 0
    refunded_microcredits: int = 0
    deadline: datetime
    opened_at: datetime
    trace_id: str

    @property
    def left_microcredits(self) -> int:
        """Still in escrow."""
        gone = self.captured_microcredits + self.fees_microcredits + self.voided_microcredits
        return self.held_microcredits - gone

    @property
    def refundable_microcredits(self) -> int:
        """Of what the payee got."""
        return self.captured_microcredits - self.refunded_microcredits

    @property
    def state(self) -> HoldState:
        if self.left_microcredits:
            return HoldState.HELD
        if not self.voided_microcredits:
            return HoldState.CAPTURED
        return HoldState.SPLIT if self.captured_microcredits else HoldState.VOIDED
