"""Pure: when lines were said, so that reading by time gives one sender's lines in their order.

Each listener stamps a line when it reads it, and two listeners' stamps differ by moments. Where the
record of one person is stored by several of them, their stamps alone would tell a wrong order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

#: listeners that keep up differ by less; a stamp this far off tells of something else
FARTHEST: Final = timedelta(seconds=3)
#: the finest difference that a stored time keeps
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """One line as a listener heard it."""

    sender: str
    said_at: datetime
    #: it is stored already, with this `said_at`: nothing is changed about it
    is_stored: bool = False


def in_sequence(moments: Sequence[Moment]) -> list[datetime]:
    """A time for each line, given in the order heard: for each sender none before the one before.

    A line between stored ones is moved between them, by as little as possible and not beyond
    `FARTHEST`.
    """
    said = [m.said_at for m in moments]
    latest: dict[str, datetime] = {}
    for index, moment in enumerate(moments):
        before = latest.get(moment.sender)
        if before is not None and _may_move(moment, before):
            said[index] = max(said[index], before)
        latest[moment.sender] = max(said[index], before or said[index])
    # A line that is stored later gets the larger id, so a tie with a stored one is no order.
    earliest: dict[str, datetime] = {}
    for index in reversed(range(len(moments))):
        moment = moments[index]
        after = earliest.get(moment.sender)
        if after is not None and _may_move(moment, after):
            said[index] = min(said[index], after - _TICK)
        if moment.is_stored or after is not None:
            earliest[moment.sender] = min(said[index], after or said[index])
    return said


def _may_move(moment: Moment, to: datetime) -> bool:
    """Whether two stamps are near enough to differ by who read when."""
    return not moment.is_stored and abs(moment.said_at - to) <= FARTHEST
