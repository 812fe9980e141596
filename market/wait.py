"""How long somebody waits or needs, as lines have it: whole seconds. Pure."""

from __future__ import annotations

import re
from typing import Final

from market.misread import Refused

#: a week: nobody's open need outlives what people remember of it
LONGEST_S: Final = 7 * 24 * 3600
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WRITTEN: Final = re.compile(
    r"(\d{1,7}) ?(s|m|h|d|secs?|mins?|hrs?|seconds?|minutes?|hours?|days?)",
    re.ASCII | re.IGNORECASE,
)


def parse(text: str) -> int:
    """Seconds in ``60s``, ``2m``, ``1h``, ``90 sec``, ``2 minutes``; raises `Refused`.

    A number without a unit is refused: half of the readers would take it for minutes.
    """
    found = _WRITTEN.fullmatch(" ".join(text.split()))
    if found is None:
        raise Refused("write a time with its unit, as in 60s, 2m or 1h")
    return checked(int(found[1]) * _UNITS_S[found[2][0].lower()], least_s=0)


def checked(wait_s: int, *, least_s: int) -> int:
    """The time itself; raises `Refused` below `least_s` and above `LONGEST_S`."""
    if wait_s < least_s:
        raise Refused(f"a time is at least {least_s} s here")
    if wait_s > LONGEST_S:
        raise Refused("a time is at most 7 days")
    return wait_s


def written(wait_s: int) -> str:
    return f"{wait_s}s"
