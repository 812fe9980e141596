"""How long a delegation rests before it is tried again, pure."""

from __future__ import annotations

from typing import Final

_FIRST_S: Final = 2.0
_LONGEST_S: Final = 300.0


def wait_s(tried: int) -> float:
    """Seconds after the try with this number, the first being 1: 2, 8, 32 … up to 5 minutes."""
    return min(_LONGEST_S, _FIRST_S * 4.0 ** (max(1, tried) - 1))
