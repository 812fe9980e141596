"""Lines of one word that need no brain: ``stop`` and ``ping``. Pure."""

from __future__ import annotations

_STOP = frozenset({"stop", "halt", "cancel"})


def is_stop(text: str) -> bool:
    """Somebody wants the work to end: the whole line is ``stop``, ``halt`` or ``cancel``."""
    return _word(text) in _STOP


def is_ping(text: str) -> bool:
    """Somebody wants to know whether anybody is there."""
    return _word(text) == "ping"


def is_short(text: str) -> bool:
    """Either of them: answered ahead of queue and model."""
    return is_stop(text) or is_ping(text)


def _word(text: str) -> str:
    return text.strip().lower().strip("!?. ")
