"""When minutes are due, and the order for them in words that their writer reads back. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from cronsim import CronSim

#: minutes of a longer silence begin here
_LONGEST: Final = timedelta(days=7)
_ORDER: Final = re.compile(
    r"Write the (?P<kind>[a-z-]+) from (?P<begin>\S+) until (?P<end>\S+)", re.ASCII
)


class Kind(StrEnum):
    STANDUP = "stand-up"
    NOTES = "notes"


@dataclass(frozen=True)
class Called:
    """Minutes of a stretch of time: from `begin` on, before `end`; aware UTC."""

    kind: Kind
    begin: datetime
    end: datetime

    def __str__(self) -> str:
        return f"Write the {self.kind} from {_iso(self.begin)} until {_iso(self.end)}"

    @property
    def key(self) -> str:
        """The same minutes have the same, whoever asks for them."""
        return f"{self.kind}:{_iso(self.end)}"

    @classmethod
    def read(cls, order: str) -> Called | None:
        """`str` the other way; None for anything else."""
        found = _ORDER.fullmatch(order)
        if found is None or found["kind"] not in set(Kind):
            return None
        try:
            begin, end = (datetime.fromisoformat(found[name]) for name in ("begin", "end"))
        except ValueError:
            return None
        if begin.tzinfo is None or end.tzinfo is None:
            return None
        return cls(Kind(found["kind"]), begin.astimezone(UTC), end.astimezone(UTC))


def due(kind: Kind, cron: str, now: datetime) -> Called | None:
    """The newest minutes that are due by `now` (aware UTC); None for a cron line that names no
    moment. They begin where those before them ended.
    """
    # The library leaves out the very moment that it is given.
    times = CronSim(cron, now + timedelta(microseconds=1), reverse=True)
    end = next(times, None)
    if end is None:
        return None
    begin = max(next(times, end - _LONGEST), end - _LONGEST)
    return Called(kind, begin, end)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="minutes")
