"""What is said of events. Pure: events in, lines out.

They are status text: none of the lines addresses anybody, whatever it quotes, and none is so long
that a network would cut it in two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from storage.deliveries import Notice
from storage.event_tables import EventState

#: events of one batch
MOST: Final = 10
#: no line begins with a name
_BULLET: Final = "\N{BULLET} "
_LINE_BYTES: Final = 340


def batch(notices: Sequence[Notice], left: int) -> str:
    """What is said of `notices`; `left` more of them come later."""
    lines = [line(notice) for notice in notices]
    if left > 0:
        lines.append(f"{_BULLET}{left} more to come")
    return "\n".join(lines)


def line(notice: Notice) -> str:
    """One event in one line, with what became of it where it could not be said."""
    why = {
        EventState.DEAD: f" (could not be sent: {notice.reason})",
        EventState.UNKNOWN: " (may have reached you before)",
    }.get(EventState(notice.state), "")
    ref = f" [{notice.ref}]" if notice.ref else ""
    told = f"{notice.at:%m-%d %H:%M} UTC {notice.topic}: {notice.text}{ref}{why}"
    return _fitting(f"{_BULLET}{' '.join(told.split())}")


def _fitting(text: str) -> str:
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= _LINE_BYTES:
        return encoded.decode()
    return encoded[: _LINE_BYTES - 3].decode("utf-8", "ignore") + "\N{HORIZONTAL ELLIPSIS}"
