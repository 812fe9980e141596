"""What an agent asks of people, checked and complete, before it becomes a question. Pure."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from brain.money import Money, NoMoney, parse
from storage.request import CASES, RequestKind

#: characters of each part
LONGEST_TITLE: Final = 120
LONGEST_TEXT: Final = 800
LONGEST_SOURCE: Final = 300
MOST_SOURCES: Final = 8
#: people get at least this long, and nothing waits longer
SOONEST: Final = timedelta(minutes=5)
LATEST: Final = timedelta(days=30)
#: currency of a sum that names none
CURRENCY: Final = "USD"
LONGEST_PATIENCE_S: Final = 600

_TEXTS: Final = ("title", "reason", "attempt", "reference", "deadline")

_ALSO: Final = {
    "pay": RequestKind.PAYMENT,
    "purchase": RequestKind.PAYMENT,
    "design decision": RequestKind.DESIGN,
    "api account": RequestKind.ACCOUNT,
    "api-account": RequestKind.ACCOUNT,
    "content approval": RequestKind.CONTENT,
    "strategic decision": RequestKind.STRATEGY,
    "strategic": RequestKind.STRATEGY,
}
_SPAN: Final = re.compile(r"(?:in )?(\d{1,3}) ?(m|min|minutes?|h|hours?|d|days?)")
_IN_SECONDS: Final = {"m": 60, "h": 3600, "d": 86400}


class BadCase(ValueError):
    """Something is missing or cannot be meant; the text says what to write instead."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing that only people may decide."""

    kind: RequestKind
    title: str
    reason: str
    #: what was tried to do it without a person, and what came of it
    attempt: str
    cost: Money | None = None
    #: expected return
    gain: Money | None = None
    #: as `deadline_of` reads it; empty: as long as people usually get
    deadline: str = ""
    #: links and texts that it stands on
    sources: tuple[str, ...] = ()
    #: what waits for it, such as ``delegation:D-7k2m9qxa``
    reference: str = ""
    #: so long who asks looks for the answer by itself
    patience_s: int = 0

    @property
    def currency(self) -> str:
        sums = [money for money in (self.cost, self.gain) if money is not None]
        return sums[0].currency if sums else ""


def case_of(
    kind: str,
    title: str,
    reason: str,
    attempt: str,
    *,
    cost: str = "",
    gain: str = "",
    deadline: str = "",
    sources: str = "",
    now: datetime,
) -> Case:
    """The case that these words mean; raises `BadCase`."""
    made = Case(
        kind=_kind(kind),
        title=" ".join(title.split()),
        reason=" ".join(reason.split()),
        attempt=" ".join(attempt.split()),
        cost=_money("cost", cost),
        gain=_money("return", gain),
        deadline=" ".join(deadline.split()),
        sources=tuple(" ".join(line.split()) for line in sources.splitlines() if line.strip()),
    )
    return checked(made, now)


def checked(case: Case, now: datetime) -> Case:
    """The same, if it is complete and in bounds; raises `BadCase`."""
    if case.kind not in CASES:
        raise BadCase(f"{case.kind} is nothing that agents ask people for")
    for name, longest in (
        ("title", LONGEST_TITLE),
        ("reason", LONGEST_TEXT),
        ("attempt", LONGEST_TEXT),
    ):
        text = getattr(case, name)
        if not text:
            raise BadCase(_MISSING[name])
        if len(text) > longest:
            raise BadCase(f"{name} is longer than {longest} characters; shorten it")
    if len(case.sources) > MOST_SOURCES or any(len(s) > LONGEST_SOURCE for s in case.sources):
        raise BadCase(f"evidence is at most {MOST_SOURCES} lines of {LONGEST_SOURCE} characters")
    if len({money.currency for money in (case.cost, case.gain) if money is not None}) > 1:
        raise BadCase("cost and return are to be in one currency")
    if case.kind is RequestKind.PAYMENT and case.cost is None:
        raise BadCase("a payment needs its cost, as in 12.50 EUR")
    due = deadline_of(case.deadline, now)
    if due is not None and not now + SOONEST <= due <= now + LATEST:
        raise BadCase("a deadline is at least 5 minutes and at most 30 days away")
    if not 0 <= case.patience_s <= LONGEST_PATIENCE_S:
        raise BadCase("nobody waits for people for so long")
    return case


_MISSING: Final = {
    "title": "title is empty: say in a few words what is wanted",
    "reason": "reason is empty: say why it is wanted",
    "attempt": (
        "attempt is empty: say what you tried to do it without a person, and what came of it"
    ),
}


def deadline_of(text: str, now: datetime) -> datetime | None:
    """``2h``, ``3 days``, ``2026-11-30`` (its end, UTC) or ``2026-11-30 18:00`` (UTC); None for an
    empty text. Raises `BadCase`.
    """
    words = " ".join(text.lower().split())
    if not words:
        return None
    span = _SPAN.fullmatch(words)
    if span is not None:
        return now + timedelta(seconds=int(span[1]) * _IN_SECONDS[span[2][0]])
    for form, more in (("%Y-%m-%d", timedelta(days=1)), ("%Y-%m-%d %H:%M", timedelta())):
        try:
            return datetime.strptime(words, form).replace(tzinfo=now.tzinfo) + more
        except (ValueError, OverflowError):
            continue
    raise BadCase("write a deadline as in 2h, 3 days, 2026-11-30 or 2026-11-30 18:00 (UTC)")


def as_text(case: Case) -> str:
    """The case on its way from one agent to another: JSON."""
    return json.dumps(asdict(case), sort_keys=True, ensure_ascii=False)


def from_text(text: str, now: datetime) -> Case:
    """What `as_text` wrote, checked again: it comes from outside. Raises `BadCase`."""
    try:
        raw = json.loads(text)
        made = Case(
            kind=RequestKind(raw["kind"]),
            **{name: _string(raw[name]) for name in _TEXTS},
            cost=_sum(raw["cost"]),
            gain=_sum(raw["gain"]),
            patience_s=_whole(raw["patience_s"]),
            sources=tuple(_string(one) for one in raw["sources"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadCase("that is no case for people") from error
    if len(made.reference) > LONGEST_SOURCE:
        raise BadCase("that is no case for people")
    return checked(made, now)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("not a whole number")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _sum(raw: Mapping[str, Any] | None) -> Money | None:
    if raw is None:
        return None
    micros, currency = _whole(raw["micros"]), _string(raw["currency"])
    if not 0 <= micros < 10**18 or not 3 <= len(currency) <= 4:
        raise ValueError("not a sum")
    return Money(micros, currency)


def _kind(text: str) -> RequestKind:
    words = " ".join(text.lower().replace("_", " ").split())
    if words in _ALSO:
        return _ALSO[words]
    known = [str(kind) for kind in CASES]
    if words not in known:
        near = difflib.get_close_matches(words, known, 1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
        raise BadCase(f"there is no kind {text[:40]!r}{hint}")
    return RequestKind(words)


def _money(name: str, text: str) -> Money | None:
    if not text.strip():
        return None
    try:
        return parse(text, CURRENCY)
    except NoMoney as error:
        raise BadCase(f"{name}: {error}") from error
