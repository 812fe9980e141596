"""May an agent answer this line? Pure: lines and times in, a verdict out.

Bots that answer bots loop for ever unless something stops them, so four limits do: how long a chain
of answers may get (hops), how often one pair may exchange answers, how alike successive lines may
be, and how much agents may say to agents in one channel. A person's word always passes.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from difflib import SequenceMatcher


@dataclass(frozen=True, kw_only=True)
class Line:
    """What the guard needs to know of a line addressed to an agent."""

    channel: str
    #: nick or agent name of the speaker
    speaker: str
    #: an agent of ours, or marked as a bot by the network or by configuration
    from_bot: bool
    hops: int
    text: str
    at_s: float


@dataclass(frozen=True, kw_only=True)
class Limits:
    max_hops: int
    pair_answers: int
    pair_window_s: float
    channel_answers: int
    channel_window_s: float
    #: answers to one bot within a day: even a slow loop ends
    day_answers: int
    #: 0 to 1; lines at least this alike are the same line
    similarity: float


@dataclass(frozen=True)
class Verdict:
    allowed: bool
    reason: str = ""


_PASS = Verdict(True)
_DAY_S = 86_400.0
_MOST_SPEAKERS = 1_000
_VARIABLE = re.compile(r"\d+|\W+")


@dataclass
class LoopGuard:
    """One agent's guard. `weigh` counts nothing; `answered` notes that an answer was given."""

    limits: Limits
    _pairs: dict[str, deque[float]] = field(default_factory=dict)
    _days: dict[str, deque[float]] = field(default_factory=dict)
    _texts: dict[str, deque[tuple[float, str]]] = field(default_factory=dict)
    _channels: dict[str, deque[float]] = field(default_factory=dict)

    def weigh(self, line: Line) -> Verdict:
        if not line.from_bot:
            return _PASS
        objection = self._too_often(line) or self._too_far(line)
        return Verdict(False, objection) if objection else _PASS

    def _too_far(self, line: Line) -> str:
        if line.hops >= self.limits.max_hops:
            return f"{line.hops} hops reach the limit of {self.limits.max_hops}"
        return f"{line.speaker} says the same again" if self._repeats(line) else ""

    def _too_often(self, line: Line) -> str:
        limits, who, where = self.limits, line.speaker, line.channel
        if self._recent(self._pairs, who, line.at_s, limits.pair_window_s) >= limits.pair_answers:
            return f"answered {who} {limits.pair_answers} times just now"
        if self._recent(self._days, who, line.at_s, _DAY_S) >= limits.day_answers:
            return f"answered {who} often enough for a day"
        window_s = limits.channel_window_s
        if self._recent(self._channels, where, line.at_s, window_s) >= limits.channel_answers:
            return f"agents talk to agents too much in {where}"
        return ""

    def answered(self, line: Line) -> None:
        """Note that this agent answered `line`."""
        if line.from_bot:
            self._forget(line.at_s)
            self._pairs.setdefault(line.speaker, deque()).append(line.at_s)
            self._days.setdefault(line.speaker, deque()).append(line.at_s)
            self._texts.setdefault(line.speaker, deque(maxlen=8)).append(
                (line.at_s, _essence(line.text))
            )
            self.exchanged(line.channel, line.at_s)

    def exchanged(self, channel: str, at_s: float) -> None:
        """Note that some agent answered an agent in this channel."""
        self._channels.setdefault(channel, deque()).append(at_s)

    def _forget(self, now_s: float) -> None:
        """Strangers come and go under ever new names: what is over is not kept."""
        if len(self._days) < _MOST_SPEAKERS:
            return
        old = now_s - self.limits.pair_window_s
        self._texts = {k: v for k, v in self._texts.items() if v[-1][0] > old}
        self._pairs = {k: v for k, v in self._pairs.items() if v[-1] > old}
        self._days = {k: v for k, v in self._days.items() if v[-1] > now_s - _DAY_S}
        if len(self._days) >= _MOST_SPEAKERS:
            # A thousand bots in a day: forgetting costs each of them its day's count, no more.
            self._days.clear()

    def _recent(
        self, seen: dict[str, deque[float]], key: str, now_s: float, window_s: float
    ) -> int:
        times = seen.get(key)
        if times is None:
            return 0
        while times and times[0] <= now_s - window_s:
            times.popleft()
        if not times:
            del seen[key]
        return len(times)

    def _repeats(self, line: Line) -> bool:
        essence = _essence(line.text)
        return any(
            line.at_s - at_s < self.limits.pair_window_s
            and SequenceMatcher(None, text, essence, autojunk=False).ratio()
            >= self.limits.similarity
            for at_s, text in self._texts.get(line.speaker, ())
        )


def _essence(text: str) -> str:
    """The words without numbers and punctuation: a counter does not make a line new. At most 400
    characters.
    """
    return _VARIABLE.sub(" ", text.lower()).strip()[:400]
