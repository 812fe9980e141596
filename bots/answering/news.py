"""What an agent has not looked at yet, and what of it one look may show together. Pure.

What was said in a channel that not everybody may read is shown alone, and there alone may the agent
speak in that turn: what it was never shown together it cannot carry from one place to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

#: channels that one look shows
MOST_CHANNELS: Final = 8
#: a line may be written down so long after it was said
_LATE: Final = timedelta(minutes=1)
#: stands for all channels that everybody may read
_OPEN: Final = ""


@dataclass(frozen=True, kw_only=True)
class Newness:
    """A channel in which people have spoken since it was looked at."""

    #: typed address, such as ``discord:#lobby``
    target: str
    #: what is new was said after this
    after: datetime
    #: its newest line of a person
    newest: datetime


class News:
    """How far one agent has looked, channel by channel; it begins at `since`."""

    def __init__(self, since: datetime) -> None:
        self._last = since
        #: its last look, at whatever channels
        self.looked_at = since
        #: by target
        self._seen: dict[str, datetime] = {}
        #: group of channels → its last look
        self._looked: dict[str, datetime] = {}

    @property
    def since(self) -> datetime:
        """Nothing older can be new."""
        return min(self._seen.values(), default=self._last)

    def sit_in(self, targets: Iterable[str], now: datetime) -> None:
        """The agent sits in these channels; what was said before it came to one is no news."""
        self._seen = {target: self._seen.get(target, self._last) for target in targets}
        self._looked = {g: at for g, at in self._looked.items() if g == _OPEN or g in self._seen}
        self._last = now

    def new(self, spoken: Mapping[str, datetime], now: datetime) -> list[Newness]:
        """Channels with something new, longest waiting first; `spoken` says when people last spoke
        in each, as far as that is known by now.
        """
        found = [
            Newness(target=target, after=seen, newest=spoken[target])
            for target, seen in self._seen.items()
            if target in spoken and spoken[target] > seen
        ]
        for quiet in self._seen.keys() - {one.target for one in found}:
            self._seen[quiet] = max(self._seen[quiet], now - _LATE)
        return sorted(found, key=lambda one: one.after)

    def together(
        self, new: Sequence[Newness], is_open: Callable[[str], bool]
    ) -> tuple[Newness, ...]:
        """What the next look shows: open channels, or one that is closed; whichever was not looked
        at for longer.
        """
        groups: dict[str, list[Newness]] = {}
        for one in new:
            groups.setdefault(_OPEN if is_open(one.target) else one.target, []).append(one)
        if not groups:
            return ()
        turn = min(groups, key=lambda group: self._looked.get(group, groups[group][0].after))
        return tuple(groups[turn][:MOST_CHANNELS])

    def looked(self, shown: Sequence[Newness], *, is_open: bool, now: datetime) -> None:
        """This was looked at."""
        self._seen |= {one.target: one.newest for one in shown if one.target in self._seen}
        self._looked[_OPEN if is_open else shown[0].target] = self.looked_at = now
