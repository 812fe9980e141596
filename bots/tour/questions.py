"""What the tour asks, and how it knows a good answer: pure, apart from reading two files.

Shipped questions name words that the answer must hold. For any other log the questions are made
from the log itself, and every line that an answer quotes must be a line of the log.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from bots.irc.casemapping import fold
from bots.replay.parse import Event, EventKind
from bots.tour.sandbox import SandboxFailed
from brain.conversations import Line
from brain.offline import phrase
from brain.topics import topics
from brain.words import covers, stems

#: how agents quote a recorded line; see brain.tools.quoting
_QUOTE = re.compile(r"\d\d:\d\d <(?P<nick>[^>\s]+)> (?P<text>[^→]*?)(?: →.*| \[\d+ lines?.*\])?$")
#: a nick that every server takes as it is
_PLAIN_NICK = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,29}")
_PLAIN_WORDS = re.compile(r"[a-z]{4,14}( [a-z]{4,14})?")
#: so many topics of a log are looked at, to find one that can be asked for
_TOPICS = 12
#: a time for what needs one and does not depend on it
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)
_BLANKS = re.compile(r"\s+")
_TALK = (EventKind.SAID, EventKind.ACTION)


class Question(BaseModel):
    """One question of a questions file (``[[question]]``)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: the agent that is asked
    to: str
    ask: str
    #: what the answer must hold, in any case
    words: tuple[str, ...]
    #: the answer must quote lines of the log, and no others
    quotes: bool = False
    #: who must have said what it quotes, when one person is meant
    by: str = ""
    #: what every quoted line must be about
    about: str = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: tuple[Question, ...]


def read(path: Path) -> tuple[Question, ...]:
    """Questions of a TOML file. Raises `SandboxFailed` when it cannot be used."""
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).question
    except (OSError, ValueError, ValidationError) as error:
        raise SandboxFailed(f"{path}: not a file of questions: {error}") from None


def derive(events: Sequence[Event], agents: Sequence[str], channel: str) -> tuple[Question, ...]:
    """Questions about this log: its busiest speaker, a telling word of it, who spoke last.

    Empty when nobody in it has a nick and words that can be asked for.
    """
    said = [e for e in events if e.kind in _TALK and e.text.strip()]
    taken = {fold(agent) for agent in agents}
    speakers = [
        (nick, count)
        for nick, count in Counter(e.nick for e in said).most_common()
        if _PLAIN_NICK.fullmatch(nick) and fold(nick) not in taken and _is_whole(nick)
    ]
    if not speakers:
        return ()
    busiest = speakers[0][0]
    known = {nick for nick, _ in speakers}
    last = next(e.nick for e in reversed(said) if e.nick in known)
    asked = [
        Question(to="harvester", ask=f"who talks most in {channel}?", words=(busiest,)),
        Question(to="secretary", ask=f"what happened in {channel}?", words=(channel, "lines by")),
        Question(
            to="captain", ask=f"what did {busiest} say?", words=(busiest,), quotes=True, by=busiest
        ),
        Question(to="auditor", ask=f"when was {last} last seen?", words=(last, "last seen")),
    ]
    word = telling_word(said, known)
    if word is not None:
        about = f"who mentioned {word}?"
        asked.insert(1, Question(to="tech-lead", ask=about, words=(word,), quotes=True, about=word))
    return tuple(asked)


def telling_word(said: Sequence[Event], nicks: set[str]) -> str | None:
    """What several people talked about, in a word or two; None when no subject can be asked for."""
    lines = [Line(at=_NEVER, nick=event.nick, text=event.text, id=event.number) for event in said]
    found = topics(lines, {nick.lower() for nick in nicks}, _TOPICS)
    words = (topic for topic in found if _PLAIN_WORDS.fullmatch(topic))
    return next((word for word in words if _is_whole(f"who mentioned {word}")), None)


@dataclass(frozen=True)
class Record:
    """What was said in the log, to compare quotations with."""

    #: folded nick → lines with their blanks made one
    said: dict[str, list[str]]

    @classmethod
    def of(cls, events: Sequence[Event]) -> Record:
        said: defaultdict[str, list[str]] = defaultdict(list)
        for event in events:
            if event.kind in (*_TALK, EventKind.NOTICE):
                said[fold(event.nick)].append(_BLANKS.sub(" ", event.text).strip())
        return cls(dict(said))

    def holds(self, nick: str, excerpt: str) -> bool:
        """Whether `nick` said this; an excerpt may lack beginning and end.

        A nick that the server would not take was spoken under another one: then the words decide.
        """
        part = _BLANKS.sub(" ", excerpt.strip().strip("…")).strip()
        own = self.said.get(fold(nick))
        lines = own if own is not None else [line for said in self.said.values() for line in said]
        return any(part in line for line in lines)


def faults(question: Question, answer: str, record: Record) -> list[str]:
    """What is wrong with an answer, one sentence each; empty when it is right."""
    lowered = answer.lower()
    found = [
        f"“{question.ask}”: the answer does not hold “{word}”"
        for word in question.words
        if word.lower() not in lowered
    ]
    if not question.quotes:
        return found
    quoted = [m for line in answer.splitlines() if (m := _QUOTE.search(line))]
    if not quoted:
        found.append(f"“{question.ask}”: the answer quotes no line")
    for quote in quoted:
        if not record.holds(quote["nick"], quote["text"]):
            found.append(f"“{question.ask}”: no line of the log: {quote[0]}")
        if question.by and fold(quote["nick"]) != fold(question.by):
            found.append(f"“{question.ask}”: said by somebody else: {quote[0]}")
        if question.about and not covers(quote["text"], stems(question.about)):
            found.append(f"“{question.ask}”: about something else: {quote[0]}")
    return found


def _is_whole(text: str) -> bool:
    # A word that reads as a time, a channel or politeness would be taken out of the question.
    return phrase.read(text, (), _NEVER).text == text
