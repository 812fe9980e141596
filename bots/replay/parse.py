"""A channel log as events: pure, every line accounted for.

Reads the two ways in which irssi-like clients and the Ubuntu log bot write:
``[HH:MM] <nick> text``, ``[HH:MM]  * nick action``, ``[HH:MM] -nick:#channel- notice``,
``=== nick [user@host]  has joined #channel``, ``has left``, ``has quit``, ``=== a is now known as
b``, ``was kicked off``, ``mode/#channel [...]  by``, ``..[topic/#channel:nick] : text``, and
``=== nick action`` for what older clients wrote of actions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

MINUTES_A_DAY = 24 * 60


class EventKind(StrEnum):
    """What a log line tells; the values are those of `storage.tables.LineKind`, and `mode`."""

    SAID = "said"
    ACTION = "action"
    NOTICE = "notice"
    JOIN = "join"
    PART = "part"
    QUIT = "quit"
    KICK = "kick"
    NICK = "nick"
    TOPIC = "topic"
    MODE = "mode"


@dataclass(frozen=True, kw_only=True)
class Event:
    #: line of the log, counted from 1
    number: int
    kind: EventKind
    #: who did it, as the log shows the nick
    nick: str
    #: what was said; the reason of a part, quit or kick; the topic; the modes
    text: str = ""
    #: the new nick of a rename, the victim of a kick
    other: str = ""
    #: minutes since midnight of the day the log begins on; past 1439 on the days after
    minute: int


@dataclass(frozen=True)
class Unread:
    """A line that is no event: it is blank, or of a form nobody knows."""

    number: int
    line: str


@dataclass(frozen=True)
class Log:
    events: tuple[Event, ...]
    unread: tuple[Unread, ...]

    @property
    def blank(self) -> int:
        return sum(1 for line in self.unread if not line.line.strip())


_Facts = tuple[EventKind, str, str, str]
_TIMED = re.compile(r"\[(\d\d):(\d\d)(?::\d\d)?\] ?(.*)", re.DOTALL)
_HOST = r"(?:\[[^\]\s]*\]|\([^)\s]*\))"


def _simple(kind: EventKind) -> Callable[[re.Match[str]], _Facts]:
    return lambda m: (kind, m["nick"].strip(), (m.groupdict().get("text") or "").strip(' "'), "")


def _kick(m: re.Match[str]) -> _Facts:
    return EventKind.KICK, m["nick"], m["text"] or "", m["other"].strip()


def _rename(m: re.Match[str]) -> _Facts:
    return EventKind.NICK, m["nick"].strip(), "", m["other"]


def _said(kind: EventKind) -> Callable[[re.Match[str]], _Facts]:
    # What was said keeps its inner blanks; the log itself may have cut the end.
    return lambda m: (kind, m["nick"].strip(), (m["text"] or "").rstrip(), "")


#: lines with a time in front
_TALK = (
    (re.compile(r"<(?P<nick>[^>]+)>(?: (?P<text>.*))?$"), _said(EventKind.SAID)),
    (re.compile(r" ?\* (?P<nick>\S+)(?: (?P<text>.*))?$"), _said(EventKind.ACTION)),
    (re.compile(r"-(?P<nick>[^\s:]+):[#&]\S+- ?(?P<text>.*)$"), _said(EventKind.NOTICE)),
)
#: lines that begin with ===
_PRESENCE = (
    (re.compile(rf"(?P<nick>.+?) +{_HOST} +has joined [#&]\S+"), _simple(EventKind.JOIN)),
    (
        re.compile(rf"(?P<nick>.+?) +{_HOST} +has left [#&]\S+ *(?:\[(?P<text>.*?)\]?)? *$"),
        _simple(EventKind.PART),
    ),
    (
        re.compile(rf"(?P<nick>.+?) +{_HOST} +has quit\b *(?:\[(?P<text>.*?)\]?)? *$"),
        _simple(EventKind.QUIT),
    ),
    (re.compile(r"(?P<nick>\S.*?) +is now known as (?P<other>\S+) *$"), _rename),
    (
        re.compile(
            r"(?P<other>.+?) was kicked (?:off|from) [#&]\S+ by (?P<nick>\S+)"
            r"(?: \((?P<text>.*)\))? *$"
        ),
        _kick,
    ),
    (re.compile(r"mode/[#&]\S+ \[(?P<text>[^\]]*)\] +by (?P<nick>\S+)"), _simple(EventKind.MODE)),
    (
        re.compile(r"\.\.\[topic/[#&][^:]+:(?P<nick>[^\]]+)\] : ?(?P<text>.*)$"),
        _said(EventKind.TOPIC),
    ),
    (re.compile(r"(?P<nick>\S+) +(?P<text>\S.*)$"), _said(EventKind.ACTION)),
)


def parse(lines: Iterable[str]) -> Log:
    """Events of a log in order; what is none of them is in `unread`.

    Lines without a time share that of the line before them (at the top: of the first timed line).
    The clock may only go back by going past midnight: a time that is more than twelve hours
    earlier than the one before begins the next day.
    """
    events: list[Event] = []
    unread: list[Unread] = []
    clock = _Clock()
    texts = list(lines)
    clock.start(texts)
    for number, raw in enumerate(texts, 1):
        line = raw.rstrip("\r\n")
        timed = _TIMED.match(line)
        if timed:
            clock.show(int(timed[1]), int(timed[2]))
        facts = _read(timed[3], _TALK) if timed else _untimed(line)
        if facts is None:
            unread.append(Unread(number, line))
            continue
        kind, nick, text, other = facts
        events.append(
            Event(number=number, kind=kind, nick=nick, text=text, other=other, minute=clock.minute)
        )
    return Log(tuple(events), tuple(unread))


def _untimed(line: str) -> _Facts | None:
    return _read(line[4:], _PRESENCE) if line.startswith("=== ") else None


def _read(
    text: str, forms: Iterable[tuple[re.Pattern[str], Callable[[re.Match[str]], _Facts]]]
) -> _Facts | None:
    for pattern, facts in forms:
        match = pattern.match(text)
        if match:
            return facts(match)
    return None


class _Clock:
    """Minutes since the first midnight, from times of day."""

    def __init__(self) -> None:
        self.minute = 0

    def start(self, lines: Iterable[str]) -> None:
        first = next(filter(None, map(_TIMED.match, lines)), None)
        if first:
            self.minute = int(first[1]) * 60 + int(first[2])

    def show(self, hour: int, minute: int) -> None:
        shown = self.minute // MINUTES_A_DAY * MINUTES_A_DAY + hour * 60 + minute
        if shown < self.minute - MINUTES_A_DAY // 2:
            shown += MINUTES_A_DAY
        # A clock that was set back a little does not turn the order of lines round.
        self.minute = max(self.minute, shown)
