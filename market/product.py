"""What is traded, as a name that people read: ``chat-logs #ubuntu``. Pure.

Free words beside it (a note, a reason) obey the same rules and may be left out.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from market.misread import Refused

LONGEST: Final = 200
#: so that no line of ASCII outgrows what an IRC server passes on (RFC 1459 section 2.3: 512 bytes)
LONGEST_NOTE: Final = 120
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
#: letters and signs that show as a blank: Hangul fillers, an empty Braille cell
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
#: Markdown's bold at the beginning
_BOLD: Final = re.compile(r"\s*\*\*(?=\S)(.+?)\*\*")


def normal(text: str) -> str:
    """The product's one spelling: NFC, single blanks, no bold in front.

    Raises `Refused` when nothing of it can be read, when it is longer than `LONGEST` characters,
    and for control, bidirectional and other unseen codes and ``|``.
    """
    name = _readable(text, "product", LONGEST)
    if not any(c.isalnum() for c in name):
        raise Refused("say which product")
    return name


def note(text: str) -> str:
    """Free words in their one spelling, perhaps none; raises `Refused` as `normal` does."""
    return _readable(text, "note", LONGEST_NOTE)


def unbold(text: str) -> str:
    """`text` without the ``**`` around its first words."""
    while found := _BOLD.match(text):
        text = found[1] + text[found.end() :]
    return text


def _readable(text: str, what: str, longest: int) -> str:
    if len(text) > 10 * longest:
        raise Refused(f"a {what} has at most {longest} characters")
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", text.replace("\t", " "))
        if any(unicodedata.category(c) in _UNSEEN or c in _BLANK for c in text):
            raise Refused(f"a {what} has no hidden, control or direction codes")
    text = " ".join(unbold(text).split())
    if len(text) > longest:
        raise Refused(f"a {what} has at most {longest} characters")
    if "|" in text:
        raise Refused(f"a {what} has no | in it")
    return text
