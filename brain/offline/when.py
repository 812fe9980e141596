"""Time as people write it in a question, pure: ``in the last 2 hours``, ``yesterday``, ``since
14:00`` (UTC).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_NUMBERS = {
    "a": 1.0, "an": 1.0, "one": 1.0, "couple": 2.0, "two": 2.0, "three": 3.0, "few": 3.0,
    "four": 4.0, "five": 5.0, "six": 6.0, "half": 0.5, "ten": 10.0, "twelve": 12.0,
}  # fmt: skip
_UNITS = {"s": 1 / 3600, "m": 1 / 60, "h": 1.0, "d": 24.0, "w": 168.0}
_COUNT = r"(?P<count>\d+(?:\.\d+)?|an?|one|two|three|four|five|six|ten|twelve|few|couple|half)?"
_UNIT = r"(?P<unit>seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|[mhd])\b"


@dataclass(frozen=True, kw_only=True)
class When:
    """What a tool understands: `hours` before now, or a `day`; both None when no time was named."""

    hours: float | None = None
    day: str | None = None

    @property
    def arguments(self) -> dict[str, float | str]:
        given = {"hours": self.hours, "day": self.day}
        return {name: value for name, value in given.items() if value is not None}


def read(text: str, now: datetime) -> tuple[When, str]:
    """The time named in `text`, and the text without it. `now` is aware UTC."""
    for pattern, meaning in _RULES:
        found = pattern.search(text)
        if found is not None:
            rest = f"{text[: found.start()]} {text[found.end() :]}"
            return meaning(found, now), re.sub(r"\s+", " ", rest).strip(" ,")
    return When(), text


def _last(found: re.Match[str], now: datetime) -> When:
    word = (found["count"] or "one").lower()
    count = _NUMBERS.get(word) or float(word)
    unit = found["unit"].lower()
    hours = 720.0 if unit.startswith("mo") else _UNITS[unit[0]]
    return When(hours=max(round(count * hours, 3), 1 / 60))


def _since_clock(found: re.Match[str], now: datetime) -> When:
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    half = (found["half"] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59:
        return When()
    start = now.astimezone(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    # A time of day that is still to come was meant as yesterday's.
    return _from(start if start < now else start - timedelta(days=1), now)


def _from_hour(hour: int, days: int = 0) -> Callable[[re.Match[str], datetime], When]:
    def meaning(_found: re.Match[str], now: datetime) -> When:
        start = now.astimezone(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
        return _from(start - timedelta(days=days if start - timedelta(days=days) < now else 1), now)

    return meaning


def _since_monday(_found: re.Match[str], now: datetime) -> When:
    return _from_hour(0, now.astimezone(UTC).weekday())(_found, now)


def _from(start: datetime, now: datetime) -> When:
    return When(hours=max(round((now - start).total_seconds() / 3600, 4), 0.02))


def _day(name: str) -> Callable[[re.Match[str], datetime], When]:
    return lambda _found, _now: When(day=name)


def _dated(found: re.Match[str], _now: datetime) -> When:
    return When(day=found["date"])


def _spelled(found: re.Match[str], _now: datetime) -> When:
    """``27 April 2008``, ``April 27, 2008``, ``27.4.2008``; nothing when there is no such day."""
    month = found["month"].lower()
    number = int(month) if month.isdigit() else _MONTHS.index(month[:3]) + 1
    try:
        return When(day=date(int(found["year"]), number, int(found["day"])).isoformat())
    except ValueError:
        return When()


def _rule(
    pattern: str, meaning: Callable[[re.Match[str], datetime], When]
) -> tuple[re.Pattern[str], Callable[[re.Match[str], datetime], When]]:
    return re.compile(pattern, re.IGNORECASE), meaning


_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_ON = r"\b(?:on|from|of|for)?\s*"
_DAY = r"\b(?P<day>\d{1,2})"
_YEAR = r"(?P<year>\d{4})\b"
_LEAD = r"\b(?:in|over|during|for|within|from|of|since|about)?\s*"
_OF = r"(?:\s+of)?\s*(?:an?\s+)?"
_RULES = (
    _rule(rf"{_LEAD}\b(?:the\s+|these\s+)?(?:last|past|previous)\s+{_COUNT}{_OF}{_UNIT}", _last),
    _rule(rf"\b{_COUNT}{_OF}{_UNIT}\s+ago\b", _last),
    _rule(r"\b(?:since|after|from)\s+(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?\s*(?P<half>am|pm)?"
          r"(?:\s*(?:o'?clock|utc|h))?\b", _since_clock),
    _rule(r"\bsince\s+(?:yesterday|last\s+night)\b", _from_hour(0, 1)),
    _rule(r"\bsince\s+noon\b", _from_hour(12)),
    _rule(r"\bsince\s+(?:midnight|this\s+morning)\b", _from_hour(0)),
    _rule(rf"{_LEAD}\blast\s+night\b", _from_hour(18, 1)),
    _rule(rf"{_LEAD}\bthis\s+week\b", _since_monday),
    _rule(r"\b(?:on|from|of|for)?\s*(?P<date>\b\d{4}-\d\d-\d\d)\b", _dated),
    _rule(rf"{_ON}{_DAY}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}", _spelled),
    _rule(rf"{_ON}\b{_MONTH}\s+{_DAY}(?:st|nd|rd|th)?,?\s+{_YEAR}", _spelled),
    _rule(rf"{_ON}{_DAY}\.\s?(?P<month>\d{{1,2}})\.\s?{_YEAR}", _spelled),
    _rule(rf"{_LEAD}\byesterday(?:'?s)?\b", _day("yesterday")),
    _rule(rf"{_LEAD}\b(?:today(?:'?s)?|tonight|this\s+(?:morning|afternoon|evening)|so\s+far\s+today)\b",
          _day("today")),
    _rule(r"\b(?:lately|recently|just\s+now|so\s+far|at\s+the\s+moment|right\s+now)\b",
          lambda _found, _now: When()),
)  # fmt: skip
