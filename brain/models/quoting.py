"""Keys, and what providers say of them: which can be sent, and what of a provider's words people
may be shown. One rule for all vendors.
"""

from __future__ import annotations

import re
from typing import Final

from brain.models.provider import Key

#: of what a server says, the most that people are shown, in characters
LONGEST_QUOTE: Final = 200
#: servers quote what they were sent; nobody needs to see even parts of a key
_KEY_LIKE: Final = re.compile(
    r"\b(?:sk-[\w*.…-]{4,}|(?:sk|gsk|pk|key)[-_][\w*.…-]{6,}|Bearer[-_ ][\w*.…-]{6,})",
    re.IGNORECASE,
)
#: what may stand in a header, and so in a key
_SENDABLE: Final = re.compile(r"[!-~]+")


def can_be_sent(key: Key) -> bool:
    return _SENDABLE.fullmatch(key.value) is not None


def quoted(words: str, key: Key | None) -> str:
    """A server's own words as one short line without keys, `key` least of all; they come from
    outside.
    """
    if key is not None and key.value:
        words = words.replace(key.value, "[key]")
    words = _KEY_LIKE.sub("[key]", " ".join(words.split()))
    words = "".join(character for character in words if character.isprintable())
    return words if len(words) <= LONGEST_QUOTE else f"{words[: LONGEST_QUOTE - 1]}…"
