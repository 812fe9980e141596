"""Hours in which somebody wants to be told nothing, by the clock on his wall. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SPAN: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_UTC: Final = "UTC"


class QuietError(ValueError):
    """It says no hours; the text says what to write."""


@dataclass(frozen=True)
class QuietHours:
    """From `begin` until `end`, over midnight where `end` is the earlier one; never, where they are
    the same.
    """

    begin: time
    end: time
    zone: str = _UTC

    @classmethod
    def parse(cls, span: str, zone: str = "") -> QuietHours:
        """``22:00-07:00`` in a time zone of the IANA database, UTC unless named; raises
        `QuietError`.
        """
        found = _SPAN.fullmatch(span.strip())
        if found is None:
            raise QuietError(f"{span[:40]!r} is no span of hours: write 22:00-07:00")
        hour, minute, last_hour, last_minute = map(int, found.groups())
        zone = zone.strip() or _UTC
        if not is_zone(zone):
            raise QuietError(f"there is no time zone {zone[:40]!r}: write it as Europe/Berlin")
        return cls(time(hour, minute), time(last_hour, last_minute), zone)

    @classmethod
    def of_row(cls, begin: str, end: str, zone: str) -> QuietHours | None:
        """As a subscription keeps it; None where nothing is kept. A zone that this machine does
        not know counts as UTC.
        """
        if not begin or not end:
            return None
        return cls(time.fromisoformat(begin), time.fromisoformat(end), zone or _UTC)

    def holds(self, at: datetime) -> bool:
        """Whether it is quiet at this moment (aware). The clock on the wall decides: an hour that
        is shown twice, or never, is quiet as it is shown.
        """
        wall = at.astimezone(_zone(self.zone) or UTC).time()
        if self.begin <= self.end:
            return self.begin <= wall < self.end
        return wall >= self.begin or wall < self.end

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M} {self.zone}"


def is_zone(name: str) -> bool:
    """Whether this machine knows a time zone of this name."""
    return _zone(name) is not None


def _zone(name: str) -> tzinfo | None:
    """None where this machine knows no such zone."""
    if name == _UTC:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
