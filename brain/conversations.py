"""Which lines of a channel belong together, pure: several conversations run through each other in
a channel.

The cues are those that people use themselves: who is addressed, who went on talking, what words
are shared (the features that carry most weight in Kummerfeld et al., "A Large-Scale Corpus for
Conversation Disentanglement", ACL 2019). One pass, no search; good enough to pick what to show.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from brain.words import STOP_WORDS, stems

#: an addressed person still remembers what it was about
MEMORY = timedelta(minutes=30)
#: a person who goes on talking without addressing anybody is still on the same subject
BREATH = timedelta(minutes=8)
#: an answer without a name follows its question closely
ECHO = timedelta(minutes=3)
#: lines that an answer without a name may lie behind its question
RECENT_LINES = 12

_ADDRESS = re.compile(r"^@?([^\s:,@]{2,}?)(?:\s?[:,;]|->|>|\s-|(?=\s)|$)")
_QUESTION = re.compile(
    r"^(?:\S+[:,]\s+)?(?:how|what|whats|why|where|when|who|which|can|could|does|do|is|are|has|have|"
    r"should|any(?:one|body|\s+ideas?|\s+way))\b|"
    r"\b(?:any(?:one|body) (?:know|here|seen|got|have|used)|how (?:do|can|to|would|should)|"
    r"need help|i(?:'m| am) (?:having|trying)|having (?:trouble|problems?))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of talk. `at` is aware UTC."""

    at: datetime
    nick: str
    text: str
    id: int = 0


@dataclass
class Conversation:
    """Indices of the lines that belong together, in order."""

    lines: list[int] = field(default_factory=list)
    stems: set[str] = field(default_factory=set)


def is_question(text: str) -> bool:
    """Whether a line asks something; chat often goes without the question mark."""
    return text.rstrip(" .!)").endswith("?") or bool(_QUESTION.search(text[:160]))


def addressee(text: str, known: dict[str, str]) -> str | None:
    """The nick a line begins with. `known` maps folded nicks to themselves as shown."""
    found = _ADDRESS.match(text)
    if found is None:
        return None
    word = found[1].lower()
    marked = not found[0][-1:].isalnum() or text.startswith("@")
    return word if word in known and (marked or word not in STOP_WORDS) else None


def disentangle(lines: Sequence[Line]) -> list[Conversation]:
    """Every line in exactly one conversation; conversations in the order in which they began."""
    sorter = _Sorter(lines)
    for index in range(len(lines)):
        sorter.place(index)
    return sorter.conversations


class _Sorter:
    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.conversations: list[Conversation] = []
        self._known = {line.nick.lower(): line.nick for line in lines}
        self._stems = [set(stems(line.text)) for line in lines]
        #: conversation and time of a person's, and of a pair's, latest line
        self._latest: dict[str, tuple[int, datetime]] = {}
        self._pair: dict[frozenset[str], tuple[int, datetime]] = {}
        self._recent: deque[tuple[int, int]] = deque(maxlen=RECENT_LINES)

    def place(self, index: int) -> None:
        line = self.lines[index]
        speaker = line.nick.lower()
        other = addressee(line.text, self._known)
        if other == speaker:
            other = None
        number = self._addressed(speaker, other, line.at) if other else self._unaddressed(index)
        if number is None:
            number = len(self.conversations)
            self.conversations.append(Conversation())
        conversation = self.conversations[number]
        conversation.lines.append(index)
        conversation.stems |= self._stems[index]
        self._latest[speaker] = (number, line.at)
        if other:
            self._pair[frozenset((speaker, other))] = (number, line.at)
        self._recent.append((index, number))

    def _addressed(self, speaker: str, other: str, at: datetime) -> int | None:
        pair = self._pair.get(frozenset((speaker, other)))
        theirs = self._latest.get(other)
        mine = self._latest.get(speaker)
        for known in (pair, theirs, mine):
            if known and at - known[1] <= MEMORY:
                return known[0]
        return None

    def _unaddressed(self, index: int) -> int | None:
        line = self.lines[index]
        mine = self._latest.get(line.nick.lower())
        if mine and line.at - mine[1] <= BREATH and not self._new_subject(index, mine[0]):
            return mine[0]
        return self._echoed(index)

    def _new_subject(self, index: int, number: int) -> bool:
        """A fresh question that shares no word with what its speaker was talking about."""
        fresh = self._stems[index]
        shares = fresh & self.conversations[number].stems
        return len(fresh) >= 3 and not shares and is_question(self.lines[index].text)

    def _echoed(self, index: int) -> int | None:
        """The recent conversation that this line shares words with, or simply follows in a quiet
        channel.
        """
        at = self.lines[index].at
        near = [(i, n) for i, n in self._recent if at - self.lines[i].at <= ECHO]
        best, best_shared = None, 1
        for i, number in reversed(near):
            shared = len(self._stems[i] & self._stems[index])
            if shared > best_shared:
                best, best_shared = number, shared
        if best is not None or not near:
            return best
        quiet = len({self.lines[i].nick for i, _ in self._recent}) <= 3
        last, number = near[-1]
        follows = is_question(self.lines[last].text) and not is_question(self.lines[index].text)
        opens = len(self._stems[index]) >= 3 and is_question(self.lines[index].text)
        return number if follows or (quiet and not opens) else None
