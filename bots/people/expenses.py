"""What people paid for the swarm in a month, and what it brought, by what they said. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bots.control.request_words import called
from brain.money import Money
from storage.request import Request

_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


class NoMonth(ValueError):
    """The text names no month; the message says what to write."""


@dataclass(frozen=True, order=True)
class Month:
    """One month, UTC."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """``2026-11``; raises `NoMonth`."""
        found = _MONTH.fullmatch(text.strip())
        if found is None or not 1 <= int(found[1]) <= 9998:
            raise NoMonth(f"{text[:20]!r} is no month: write it as in 2026-11")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, moment: datetime) -> Month:
        moment = moment.astimezone(UTC)
        return cls(moment.year, moment.month)

    @property
    def begins(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return (self.begins + timedelta(days=32)).replace(day=1)

    @property
    def before(self) -> Month:
        return Month.of(self.begins - timedelta(days=1))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"


@dataclass(frozen=True, kw_only=True)
class Total:
    """Sums of one currency."""

    currency: str
    requests: int
    #: what was thought beforehand
    estimated_micros: int
    paid_micros: int
    expected_micros: int
    earned_micros: int


@dataclass(frozen=True, kw_only=True)
class Expenses:
    month: Month
    #: what was completed in the month, oldest first
    done: tuple[Request, ...]
    #: what is approved and not done yet
    to_do: tuple[Request, ...] = ()

    def totals(self) -> list[Total]:
        """By currency, in alphabetical order: sums of different currencies are never added."""
        currencies = sorted({r.currency for r in self.done if r.currency})
        return [_total(c, [r for r in self.done if r.currency == c]) for c in currencies]


def in_lines(expenses: Expenses) -> list[str]:
    """For people: the sums first, then each request."""
    if not expenses.done and not expenses.to_do:
        return [f"Nothing was paid in {expenses.month}, and nothing waits to be paid."]
    lines = [_sums(total) for total in expenses.totals()] or [
        f"Nothing was paid in {expenses.month}."
    ]
    lines += [_line(request) for request in expenses.done]
    return [*lines, *(f"to be done: {_line(request)}" for request in expenses.to_do)]


def as_json(expenses: Expenses) -> dict[str, Any]:
    """For scripts: sums in millionths of the currency's unit."""
    return {
        "month": str(expenses.month),
        "totals": [vars(total) for total in expenses.totals()],
        "done": [_facts(request) for request in expenses.done],
        "to_do": [_facts(request) for request in expenses.to_do],
    }


def _total(currency: str, requests: Sequence[Request]) -> Total:
    return Total(
        currency=currency,
        requests=len(requests),
        estimated_micros=_sum(r.cost_micros for r in requests),
        paid_micros=_sum(r.paid_micros for r in requests),
        expected_micros=_sum(r.return_micros for r in requests),
        earned_micros=_sum(r.earned_micros for r in requests),
    )


def _sum(micros: Iterable[int | None]) -> int:
    return sum(one for one in micros if one is not None)


def _sums(total: Total) -> str:
    def money(micros: int) -> str:
        return str(Money(micros, total.currency))

    line = f"{money(total.paid_micros)} paid (estimated {money(total.estimated_micros)})"
    if total.expected_micros or total.earned_micros:
        earned, expected = money(total.earned_micros), money(total.expected_micros)
        line += f", {earned} came back (expected {expected})"
    return f"{line}, {total.requests} request{'s' if total.requests != 1 else ''}"


def _line(request: Request) -> str:
    sums = ", ".join(_parts(request))
    return f"{request.code} {called(request.kind)}: {request.title} ({request.asked_by}): {sums}"


def _parts(request: Request) -> Iterator[str]:
    for micros, words in (
        (request.paid_micros, "paid"),
        (request.cost_micros, "estimated"),
        (request.earned_micros, "came back"),
        (request.return_micros, "expected"),
    ):
        if micros is not None:
            yield f"{Money(micros, request.currency)} {words}"


def _facts(request: Request) -> dict[str, Any]:
    return {
        "code": request.code,
        "kind": request.kind,
        "title": request.title,
        "asked_by": request.asked_by,
        "approved_by": request.decided_by,
        "completed_by": request.completed_by,
        "completed_at": request.completed_at.isoformat() if request.completed_at else None,
        "currency": request.currency,
        "estimated_micros": request.cost_micros,
        "paid_micros": request.paid_micros,
        "expected_micros": request.return_micros,
        "earned_micros": request.earned_micros,
    }
