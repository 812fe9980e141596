"""Command lines: ``!search nvidia drivers``, ``!status agent:auditor``, ``!kill all signed:…``.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bots.control import signatures
from bots.control.signatures import Signed

#: the names of commands on Discord that are spoken shorter elsewhere; both are understood
SPOKEN_AS: Final[Mapping[str, str]] = {"kill-autonomous": "kill"}
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
    name = name.lower()
    if not _WORD.match(name):
        return None
    name = SPOKEN_AS.get(name, name)
    first, _, others = rest.strip().partition(" ")
    if _TARGET.match(first):
        return Spoken(name, first.lower(), others.strip(), signed)
    return Spoken(name, None, rest.strip(), signed)
