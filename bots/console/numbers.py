"""Numbers as a browser, or a person, writes them. Pure."""

from __future__ import annotations

import math
from typing import Final

#: a snowflake has 20 digits at most (64 bits); what is longer was never given out
_LONGEST: Final = 20
#: what an option of a command may hold (Discord's "Application Command Option Type")
_MOST: Final = 2**53


def number(text: str) -> int:
    """The whole number in `text`: an id, a count; 0 for what is none."""
    is_one = text.isascii() and text.isdecimal() and len(text) <= _LONGEST
    return int(text) if is_one else 0


def measure(text: str, *, whole: bool) -> float | None:
    """The number that somebody typed, between -2^53 and 2^53; None for what is none."""
    try:
        found = int(text) if whole else float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and abs(found) <= _MOST else None
