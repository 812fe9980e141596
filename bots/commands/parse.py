"""Command lines: ``!search nvidia drivers``, ``!status agent:auditor``, ``!kill all signed:…``.
Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bots.control import signatures
from bots.control.signatures import Signed

_WORD = re.compile(r"^[a-z][a-z-]{0,30}$")
_TARGET = re.compile(r"^(?:agent:[\w-]+|role:[\w-]+|all)$", re.IGNORECASE)


@dataclass(frozen=True)
class Spoken:
    """A command line taken apart; whether such a command exists is the registry's to know."""

    name: str
    #: ``agent:NAME``, ``role:ROLE`` or ``all``: who should answer; None for the channel's listener
    target: str | None
    #: the rest of the words
    words: str
    signed: Signed | None = None


def parse(text: str, prefix: str) -> Spoken | None:
    """The command in this line, None when it is none."""
    text = text.strip()
    if not text.startswith(prefix):
        return None
    text = text[len(prefix) :]
    signed = signatures.parse(text)
    name, _, rest = (signed.words if signed else text).partition(" ")
    if not _WORD.match(name.lower()):
        return None
    first, _, others = rest.strip().partition(" ")
    if _TARGET.match(first):
        return Spoken(name.lower(), first.lower(), others.strip(), signed)
    return Spoken(name.lower(), None, rest.strip(), signed)
