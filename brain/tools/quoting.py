"""Recorded lines as they are shown in a chat: short, in one line each, with nick and time."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime

from brain.tools.context import Context
from brain.tools.period import clock
from brain.words import stem, words

#: longest quotation, in characters: with its nick and time it fits one IRC line
LONGEST_QUOTE = 280

_BLANKS = re.compile(r"[\s\ufeff\u200b]+")


def quote(
    text: str, *, at: datetime, nick: str, now: datetime, channel: str = "", around: str = ""
) -> str:
    """``14:02 <alice> text``, the channel in front when given, cropped around words of `around`."""
    where = f"{channel} " if channel else ""
    return f"{where}{clock(at, now)} <{nick}> {crop(text, LONGEST_QUOTE, around)}"


def crop(text: str, most: int, around: str = "") -> str:
    """At most `most` characters in one line, of the part that holds one of the words `around`."""
    text = _BLANKS.sub(" ", text).strip()
    if len(text) <= most:
        return text
    start = max(0, min(_first(text, around) - most // 3, len(text) - most))
    if start:
        start = text.find(" ", start, start + 20) + 1 or start
    piece = text[start : start + most - 2]
    if start + len(piece) < len(text):
        piece = piece.rsplit(" ", 1)[0] if " " in piece[-20:] else piece
        piece = f"{piece}…"
    return f"…{piece}" if start else piece


def _first(text: str, around: str) -> int:
    found = [text.lower().find(stem(word)) for word in words(around)]
    return min((place for place in found if place >= 0), default=0)


def of_people(context: Context) -> Callable[[str, str], bool]:
    """A rule over (sender, text): whether a line is people's talk, not talk of or to the swarm.

    Answers to searches must not be their own findings, nor the question that is being answered.
    """
    names = {name.lower() for card in context.roster() for name in (card.name, card.nick)}
    names.add(context.agent.lower())

    def rule(sender: str, text: str) -> bool:
        if sender.lower() in names or text.startswith(context.command_prefix):
            return False
        if sender == context.asker and text and text in context.asked:
            return False
        first = text.split(maxsplit=1)[0].lower() if text.strip() else ""
        bare = first.strip("@:,;>")
        return not (bare in names and (first[0] == "@" or first[-1] in ":,;>"))

    return rule


def people(counts: Sequence[tuple[str, int]], most: int = 5, everybody: int | None = None) -> str:
    """``alice 12, bob 3 and 4 others``; `everybody` is how many there are in all."""
    named = ", ".join(f"{nick} {count}" for nick, count in counts[:most])
    more = (everybody or len(counts)) - most
    return f"{named} and {more} other{'s' if more > 1 else ''}" if more > 0 else named


def counted(number: int, noun: str) -> str:
    """``1 line``, ``2,000 lines``; ``people`` for persons."""
    if noun == "person":
        return "1 person" if number == 1 else f"{number:,} people"
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
