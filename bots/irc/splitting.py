"""Text into lines that fit: 512 bytes with the server's prefix (RFC 1459 section 2.3)."""

from __future__ import annotations

import re

_NEWLINES = re.compile(r"\r\n|\r|\n")
#: the widest UTF-8 character
_SMALLEST_LIMIT = 4


def split_text(text: str, limit: int) -> list[str]:
    """Parts of `text`, each of 1 to `limit` UTF-8 bytes, cut at words where possible.

    Newlines stay borders, blank lines vanish, CR and NUL never get through. Raises `ValueError`
    for a limit that cannot hold every character.
    """
    if limit < _SMALLEST_LIMIT:
        raise ValueError(f"a limit of {limit} bytes cannot hold every UTF-8 character")
    clean = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    return [part for line in _NEWLINES.split(clean) for part in _split_line(line.rstrip(), limit)]


def _split_line(line: str, limit: int) -> list[str]:
    parts: list[str] = []
    rest = line
    while rest.strip():
        head = _head(rest, limit)
        if len(head) < len(rest):
            head = _up_to_last_word(head, rest)
        if head.strip():
            parts.append(head.rstrip())
        rest = rest[len(head) :].lstrip()
    return parts


def _head(text: str, limit: int) -> str:
    """The longest beginning of `text` that fits; a cut character at its end is left to the rest."""
    return text[:limit].encode()[:limit].decode("utf-8", "ignore")


def _up_to_last_word(head: str, rest: str) -> str:
    if rest[len(head)].isspace():
        return head
    border = head.rfind(" ")
    return head[:border] if head[: max(border, 0)].strip() else head
