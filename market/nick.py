"""The names of buyer and seller in a line. Pure.

A name decides nothing: who spoke is told by the envelope. It must still not fool a reader.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from market.misread import Refused

LONGEST: Final = 32
#: what RFC 2812 section 2.3.1 allows beside letters, and what Discord's names have
_SIGNS: Final = frozenset("0123456789[]\\`_^{|}-.~")
#: written together every day (UTS 39 section 5.2, "highly restrictive")
_EAST_ASIAN: Final = frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL"})


def normal(text: str) -> str:
    """The nick as it is shown, case kept; raises `Refused`.

    Refused are blanks, over `LONGEST` characters, signs that no nick has, letters drawn as others
    (what NFKC changes) and letters of scripts that nobody mixes, such as Latin and Cyrillic.
    """
    nick = unicodedata.normalize("NFC", text.strip())
    if not 0 < len(nick) <= LONGEST:
        raise Refused(f"a nick has 1 to {LONGEST} characters")
    letters = [c for c in nick if c not in _SIGNS]
    if not any(map(str.isalnum, nick)) or not all(
        unicodedata.category(c)[0] in "LM" for c in letters
    ):
        raise Refused("a nick is one word of letters, digits and signs such as - and _")
    if unicodedata.normalize("NFKC", nick) != nick:
        raise Refused("a nick is written in plain letters")
    scripts = {_script(c) for c in letters}
    if len(scripts) > 1 and not scripts <= _EAST_ASIAN:
        raise Refused("a nick keeps to one script: its letters could be taken for others")
    return nick


def _script(letter: str) -> str:
    """The script as the character's own name begins: ``LATIN SMALL LETTER A``."""
    return unicodedata.name(letter, "?").partition(" ")[0].partition("-")[0]
