"""Status lines: none of them addresses anybody, whatever it quotes, and none is so long that a
network would cut it in two. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from storage.project_tables import EntryKind, ProjectEntry

#: no line of a post begins with a name, and none of its parts can come to stand at a beginning
BULLET: Final = "\N{BULLET} "
_LINE_BYTES: Final = 300
#: lines of a post
MOST: Final = 12
#: instead of words that are not for everybody
UNQUOTED: Final = "not quoted, for not everybody may read there"
_TITLE_CHARACTERS: Final = 80
_QUOTE_CHARACTERS: Final = 180
#: see `bots.hearing.gate`
_GOES_ON: Final = re.compile(r"[,&:]|and\b")


def quoted(text: str, most: int = _QUOTE_CHARACTERS) -> str:
    """At most `most` characters of it, in quotation marks."""
    quote = " ".join(text.split())
    if len(quote) > most:
        quote = f"{quote[:most]}\N{HORIZONTAL ELLIPSIS}"
    return f"\N{LEFT DOUBLE QUOTATION MARK}{quote}\N{RIGHT DOUBLE QUOTATION MARK}"


def entry_line(entry: ProjectEntry, *, is_quoted: bool) -> str:
    """A line of the project log: when, who, what, and its words where they may be quoted."""
    by, words = entry.by.removeprefix("agent:"), quoted(entry.text)
    match entry.kind:
        case EntryKind.RESULT:
            code = entry.ref.removeprefix("delegation:")
            did = f"{entry.agent}: {code} for {by} is {entry.state}"
            words = f"{quoted(entry.title, _TITLE_CHARACTERS)}, {words}"
        case EntryKind.STATUS:
            did = f"{by} said that the project is {entry.state}"
        case _:
            did = f"{entry.agent} wrote down a {entry.kind}"
    return f"{entry.at:%H:%M} UTC {did}: {words if is_quoted else UNQUOTED}"


def joined(lines: Iterable[str], most: int = MOST) -> str:
    """At most `most` lines; the last one says how many more there are."""
    every = list(lines)
    shown = every if len(every) <= most else every[: most - 1]
    told = [*map(line, shown)]
    if len(shown) < len(every):
        told.append(line(f"and {len(every) - len(shown)} more; the audit and the record have all"))
    return "\n".join(told)


def line(text: str) -> str:
    """One line, whatever it quotes, that fits on every network."""
    words = " ".join(text.split())
    if _GOES_ON.match(words):
        # With the bullet before it, that would go on with a list of names.
        words = f"\N{EN DASH} {words}"
    whole = BULLET + words
    encoded = whole.encode("utf-8", "replace")
    if len(encoded) <= _LINE_BYTES:
        return encoded.decode()
    return encoded[: _LINE_BYTES - 3].decode("utf-8", "ignore") + "\N{HORIZONTAL ELLIPSIS}"
