"""An answer in messages that Discord takes: at most 2,000 characters each, code blocks kept whole
or closed and opened again. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable

#: characters in one message (https://discord.com/developers/docs/resources/message)
MESSAGE_CHARACTERS = 2_000
_FENCE = "```"
_CLOSING = "\n" + _FENCE
_LANGUAGE = re.compile(r"```([A-Za-z0-9_+\-.#]{1,20})\n")
_BULLET = "\N{BULLET} "
#: room for a fence on both ends and something between them
_SMALLEST_LIMIT = 64
#: borders from the best to the worst, each good enough from this share of the room on
_BORDERS = (("\n\n", 0.5), ("\n", 0.3), (" ", 0.1))


def split_message(text: str, limit: int = MESSAGE_CHARACTERS) -> list[str]:
    """Parts of `text`, each of 1 to `limit` characters, cut at paragraphs, lines or words where
    possible; a code block that is cut is closed, and opened with its language in the next part.

    The beginning decides: text that grows at its end changes nothing but its last parts. Raises
    `ValueError` for a limit that has no room for fences.
    """
    if limit < _SMALLEST_LIMIT:
        raise ValueError(f"a limit of {limit} characters has no room for a code block's fences")
    rest = text.replace("\r\n", "\n").replace("\0", "").strip()
    parts: list[str] = []
    opening = ""
    while rest:
        whole = _closed(opening + rest)
        if len(whole) <= limit:
            parts.append(whole)
            break
        piece = opening + rest
        end = _cut(piece, len(opening), limit - len(_CLOSING))
        head, rest = piece[:end].rstrip(), piece[end:]
        parts.append(_closed(head))
        opening = _open_fence(head)
        opening, rest = _next(opening, rest)
    return parts


def parts_to_nobody(text: str, calls: Callable[[str], bool]) -> list[str]:
    """As `split_message`, but what a cut brought to the beginning of a part calls nobody: `calls`
    tells whether a text would.
    """
    parts = split_message(text)
    if not any(map(calls, parts[1:])):
        return parts
    first, *rest = split_message(text, MESSAGE_CHARACTERS - len(_BULLET))
    return [first, *(f"{_BULLET}{part}" if calls(part) else part for part in rest)]


def _next(opening: str, rest: str) -> tuple[str, str]:
    """How the next part begins; a block that ends right there is not opened again."""
    if not opening:
        return "", rest.lstrip()
    closed = rest.lstrip()
    if closed.startswith(_FENCE):
        return "", closed.removeprefix(_FENCE).lstrip()
    rest = rest.removeprefix("\n")
    return (opening, rest) if rest.strip() else ("", "")


def _closed(part: str) -> str:
    return part + _CLOSING if _open_fence(part) else part


def _open_fence(part: str) -> str:
    """What opens the block that `part` leaves open, again; empty when all are closed."""
    at = _fence_at(part)
    if at is None:
        return ""
    named = _LANGUAGE.match(part, at)
    return f"{_FENCE}{named.group(1)}\n" if named else f"{_FENCE}\n"


def _fence_at(part: str) -> int | None:
    """Where the block that `part` leaves open begins."""
    fences = [found.start() for found in re.finditer(_FENCE, part)]
    return fences[-1] if len(fences) % 2 else None


def _cut(piece: str, least: int, most: int) -> int:
    """The best place to cut `piece` after `least` and at `most` characters."""
    room = most - least
    window = piece[:most]
    fence = _fence_at(window)
    if fence is not None and fence > least + room * 0.5:
        # The block that begins here goes whole into the next part.
        return fence
    if piece[most].isspace():
        return most
    for border, share in _BORDERS:
        at = window.rfind(border, least + 1)
        if at > least + room * share:
            return at
    return _outside_ticks(piece, least, most)


def _outside_ticks(piece: str, least: int, most: int) -> int:
    """`most`, or a little before it: never inside a row of backticks, which may be a fence."""
    at = most
    while at > least + 1 and piece[at - 1] == "`" == piece[at]:
        at -= 1
    return at if at > least + 1 else most
