"""Earlier turns of a conversation in a few of their own words: extractive, pure, no model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from brain.conversations import Line
from brain.summarise import Highlight, summarise

#: fewer turns than this are short enough
FEWEST = 2
#: conversations and characters that remain at most
_KEPT = 5
_MOST = 1_200
_LONGEST = 110

#: when it ended (aware UTC), who asked, what was asked, what was answered
Exchange = tuple[datetime, str, str, str]


def compacted(exchanges: Sequence[Exchange], *, by: str) -> str:
    """What an agent should know of `exchanges` (oldest first) that it had; `by` is its name. Empty
    when there is too little to make shorter.
    """
    if len(exchanges) < FEWEST:
        return ""
    lines = []
    for at, asker, asked, answer in exchanges:
        lines.append(Line(at=at, nick=asker, text=_one_line(asked)))
        lines.append(Line(at=at, nick=by, text=_one_line(answer.partition("\n")[0])))
    found = summarise(lines, _KEPT)
    if found is None:
        return ""
    people = ", ".join(nick for nick, _ in found.people if nick != by)
    about = f" about {', '.join(found.topics)}" if found.topics else ""
    head = f"Earlier: {len(exchanges)} questions of {people}{about}."
    rows = [_row(highlight) for highlight in found.highlights]
    if not rows:
        rows = [
            f"• <{asker}> {_crop(_one_line(asked))}" for _, asker, asked, _ in exchanges[-_KEPT:]
        ]
    return _cut([head, *rows])


def _row(highlight: Highlight) -> str:
    opening, reply = highlight.opening, highlight.reply
    answered = f" → {_crop(reply.text)}" if reply is not None else ""
    return f"• <{opening.nick}> {_crop(opening.text)}{answered}"


def _cut(rows: Sequence[str]) -> str:
    """As many whole rows as there is room for."""
    kept: list[str] = []
    for row in rows:
        if sum(len(r) + 1 for r in kept) + len(row) > _MOST:
            break
        kept.append(row)
    return "\n".join(kept)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _crop(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
