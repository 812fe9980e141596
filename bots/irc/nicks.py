"""Which nick to try when the wanted one is taken (433, 436, 437) or not liked (432)."""

from __future__ import annotations

#: RFC 1459 section 1.2: every server takes nine characters
SAFE_LENGTH = 9


def fitting(wanted: str, longest: int) -> str:
    """`wanted`, cut to what the server takes."""
    return wanted[: max(1, longest)]


def alternative(wanted: str, attempt: int, longest: int) -> str:
    """Candidate number `attempt` (from 1): ``nick_``, ``nick__`` …, never over `longest`.

    The underscores eat the end of a nick that fills the whole length, so that candidates differ.
    """
    tail = "_" * min(attempt, max(1, longest - 1))
    return fitting(wanted, longest - len(tail)) + tail
