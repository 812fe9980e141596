"""Pure: which heard lines are not stored yet.

Servers keep the order of one sender's lines but interleave senders differently for each listener,
so lines are compared sender by sender, as sequences (longest common subsequence): two equal lines
stay two. Stored order is not the order of speech either: what one agent missed another adds later.
Hence two more rules. A line that this agent stored itself is known by the moment it was heard. And
rows that one agent stored are in the order of speech among themselves, so a leftover line may take
any equal row that keeps each of those chains in order.

That is for a listener who may have missed what others stored. One who was there all the time needs
to count only, whoever read what how late. But it must know of which rows it was there: a row that
was read late, by an agent that had been stopped, may be a line from before; and one that was read
after the listener had lost its connection is another line, whatever it says.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from storage.subsequence import longest_common_subsequence

#: two agents that keep up hear a line within this time of each other
AT_ONCE: Final = timedelta(seconds=0.15)
#: and under load within this
SOON: Final = timedelta(seconds=0.75)
#: an agent that was stopped hears a line at most so much later: a slower one is replaced
LATEST: Final = timedelta(seconds=20)
#: rows that are tried for one leftover line
MAX_TRIES: Final = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A heard line: who said it, what (kind and text), and which listener heard it when."""

    #: folded nick
    sender: str
    words: Hashable
    heard_by: str = ""
    heard_at: Hashable = None
    #: it may have come so many seconds earlier: its listener did not look
    lag_s: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class StoredLine:
    id: int
    line: Line


@dataclass(frozen=True, slots=True)
class Stay:
    """While a listener missed nothing; one that has no end lasts still."""

    since: datetime
    until: datetime | None = None


def missing(heard: Sequence[Line], stored: Sequence[StoredLine]) -> list[int]:
    """Positions in `heard` of the lines that `stored` (in id order) does not have."""
    return [index for index, found in enumerate(align(heard, stored)) if found is None]


def align(
    heard: Sequence[Line],
    stored: Sequence[StoredLine],
    *,
    stay: Stay | None = None,
) -> list[int | None]:
    """For each heard line the id of the stored one it is, None where it is not stored.

    No stored line is given to two heard lines. Of what came during its `stay` the listener missed
    nothing: it has heard each of these lines, or will.
    """
    found: list[int | None] = [None] * len(heard)
    by_sender: dict[str, _Sender] = defaultdict(_Sender)
    for index, line in enumerate(heard):
        by_sender[line.sender].heard.append((index, line))
    for row in stored:
        if row.line.sender in by_sender:
            by_sender[row.line.sender].stored.append(row)
    for one in by_sender.values():
        for index, row_id in one.align(stay):
            found[index] = row_id
    return found


@dataclass(frozen=True, slots=True, order=True)
class _Span:
    """When a line came: at `until`, or some time after `since` where nobody looked."""

    until: datetime
    since: datetime
    #: position in the list of lines heard, or of rows
    place: int


_Filter = Callable[[_Span], bool]


def _any(span: _Span) -> bool:
    return True


def _is_sure(span: _Span) -> bool:
    return span.since == span.until


def _may_come_during(stay: Stay, span: _Span) -> bool:
    """Whether it came in that time, as far as its reader can tell."""
    return stay.since <= span.since and (stay.until is None or span.since <= stay.until)


def _span(line: Line, place: int) -> _Span | None:
    if not isinstance(line.heard_at, datetime):
        return None
    return _Span(line.heard_at, line.heard_at - timedelta(seconds=line.lag_s), place)


@dataclass
class _Sender:
    """What one person said, as heard and as stored; positions below count within these lists."""

    heard: list[tuple[int, Line]] = field(default_factory=list)
    stored: list[StoredLine] = field(default_factory=list)
    #: heard position → stored position
    matched: dict[int, int] = field(default_factory=dict)

    def align(self, stay: Stay | None) -> list[tuple[int, int]]:
        if self.stored:
            self._by_identity()
            # First those whose times agree, so that a line which nobody stored is found to be
            # missing itself and not the next one that says the same.
            self._by_time(AT_ONCE, lines=_is_sure, rows=_is_sure)
            self._by_time(AT_ONCE)
            if stay is None:
                self._by_sequence()
                self._by_chain()
            else:
                self._by_time(SOON, rows=_is_sure)
                self._by_time(LATEST, rows=partial(_may_come_during, stay))
        return [(self.heard[h][0], self.stored[s].id) for h, s in self.matched.items()]

    def _by_identity(self) -> None:
        """This listener's own rows: same words heard by the same agent at the same moment."""
        own: dict[Line, list[int]] = defaultdict(list)
        for s, row in reversed(list(enumerate(self.stored))):
            if row.line.heard_at is not None:
                own[row.line].append(s)
        for h, (_, line) in enumerate(self.heard):
            if own.get(line):
                self.matched[h] = own[line].pop()

    def _by_time(self, apart: timedelta, *, lines: _Filter = _any, rows: _Filter = _any) -> None:
        """Equal lines that came at most `apart` from each other, the oldest first."""
        for heard, stored in self._left_by_words():
            left, right = list(filter(lines, heard)), list(filter(rows, stored))
            h = s = 0
            while h < len(left) and s < len(right):
                if left[h].since - right[s].until > apart:
                    s += 1
                elif right[s].since - left[h].until > apart:
                    h += 1
                else:
                    self.matched[left[h].place] = right[s].place
                    h, s = h + 1, s + 1

    def _left_by_words(self) -> list[tuple[list[_Span], list[_Span]]]:
        """Leftover lines and rows that say the same and know their times, each in order of time."""
        words: dict[Hashable, tuple[list[_Span], list[_Span]]] = defaultdict(lambda: ([], []))
        heard, stored = self._left()
        for h in heard:
            line = self.heard[h][1]
            if (span := _span(line, h)) is not None:
                words[line.words][0].append(span)
        for s in stored:
            row = self.stored[s].line
            if row.words in words and (span := _span(row, s)) is not None:
                words[row.words][1].append(span)
        return [(sorted(h), sorted(s)) for h, s in words.values() if h and s]

    def _by_sequence(self) -> None:
        heard, stored = self._left()
        pairs = longest_common_subsequence(
            [self.heard[h][1].words for h in heard],
            [self.stored[s].line.words for s in stored],
        )
        self.matched.update((heard[h], stored[s]) for h, s in pairs)

    def _by_chain(self) -> None:
        """Give leftover lines equal rows that keep every storing agent's chain in order."""
        heard, stored = self._left()
        if not heard or not stored:
            return
        rows: dict[Hashable, list[int]] = defaultdict(list)
        for s in stored:
            rows[self.stored[s].line.words].append(s)
        chains: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for h, s in self.matched.items():
            chains[self.stored[s].line.heard_by].append((s, h))
        for chain in chains.values():
            chain.sort()
        for h in heard:
            equal = rows[self.heard[h][1].words]
            for s in equal[:MAX_TRIES]:
                chain = chains[self.stored[s].line.heard_by]
                if _keeps_order(chain, s, h):
                    insort(chain, (s, h))
                    self.matched[h] = s
                    equal.remove(s)
                    break

    def _left(self) -> tuple[list[int], list[int]]:
        taken = set(self.matched.values())
        heard = [h for h in range(len(self.heard)) if h not in self.matched]
        # A row of our own that is none of these lines is another line, whatever it says.
        ourselves = {line.heard_by for _, line in self.heard if line.heard_at is not None}
        rows = [
            s
            for s, row in enumerate(self.stored)
            if s not in taken and row.line.heard_by not in ourselves
        ]
        return heard, rows


def _keeps_order(chain: list[tuple[int, int]], s: int, h: int) -> bool:
    place = bisect_left(chain, (s, h))
    before = place == 0 or chain[place - 1][1] < h
    return before and (place == len(chain) or h < chain[place][1])
