"""Periods of time as people name them: the last hours, or one day (UTC)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from brain.errors import BadArguments

#: ten years: a larger number is a mistake, and would overflow a date
MOST_HOURS = 24 * 3660


@dataclass(frozen=True, kw_only=True)
class Period:
    since: datetime | None
    until: datetime | None
    #: for a sentence: `` in the last 2 hours``, `` today``, or nothing
    words: str

    @property
    def is_open(self) -> bool:
        """No period was named."""
        return self.since is None


NO_PERIOD = Period(since=None, until=None, words="")


def period(hours: float | None, day: str | None, now: datetime) -> Period:
    """The period before `now` (aware UTC) that the arguments name; raises `BadArguments`."""
    if day is not None:
        return _day(day, now)
    if hours is None:
        return NO_PERIOD
    if not 0 < hours <= MOST_HOURS:
        raise BadArguments(f"'hours' must be more than 0 and at most {MOST_HOURS}, not {hours:g}")
    since = now - timedelta(hours=hours)
    # Hours that nobody would say came from a time of day.
    said = (
        f" in {_last(hours)}" if hours < 1 or hours * 2 % 1 == 0 else f" since {clock(since, now)}"
    )
    return Period(since=since, until=None, words=said)


def _last(hours: float) -> str:
    if hours == 1:
        return "the last hour"
    if hours < 1:
        return f"the last {round(hours * 60)} minutes"
    return f"the last {hours:.1f}".removesuffix(".0") + " hours"


def _day(day: str, now: datetime) -> Period:
    word = day.strip().lower()
    if word in ("today", "yesterday"):
        which = now.astimezone(UTC).date() - timedelta(days=word == "yesterday")
        words = f" {word}"
    else:
        try:
            which = date.fromisoformat(word)
        except ValueError:
            raise BadArguments(
                f"'day' must be today, yesterday or YYYY-MM-DD, not {day!r}"
            ) from None
        words = f" on {which}"
    since = datetime.combine(which, time(), UTC)
    return Period(since=since, until=since + timedelta(days=1), words=words)


def clock(at: datetime, now: datetime) -> str:
    """``14:02`` today, ``2008-04-27 14:02`` on other days; UTC."""
    at = at.astimezone(UTC)
    return f"{at:%H:%M}" if at.date() == now.astimezone(UTC).date() else f"{at:%Y-%m-%d %H:%M}"


def ago(at: datetime, now: datetime) -> str:
    """``5 minutes ago``, ``3 days ago``: the largest unit that fits."""
    seconds = max(0.0, (now - at).total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
