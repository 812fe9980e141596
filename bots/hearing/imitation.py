"""Nicks that look like an agent's and are not. Pure.

No right is ever drawn from a nick, so an imitator gains nothing from the swarm; people may still be
fooled, so the swarm says who is who.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_CYRILLIC = "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0445\u0443\u0501\u051b\u051d"
_GREEK = "\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7"
#: letters and digits that are taken for another one, after accents are off
_LOOKALIKES = str.maketrans(
    {
        "0": "o",
        "1": "l",
        "3": "e",
        "4": "a",
        "5": "s",
        "7": "t",
        "i": "l",
        "|": "l",
        # Cyrillic and Greek letters drawn like Latin ones
        **dict(zip(_CYRILLIC, "aceljopsxydqw", strict=True)),
        **dict(zip(_GREEK, "aelkvoptux", strict=True)),
    }
)
_ORNAMENTS = "_-`^[]{}\\. "


def imitated(nick: str, agents: Iterable[str]) -> str | None:
    """The agent whose name `nick` could be taken for, None when there is none.

    ``captain`` itself counts too: whether the one behind it is the agent is the caller's to know.
    """
    shown = _skeleton(nick)
    return next((agent for agent in agents if _skeleton(agent) == shown), None)


def _skeleton(name: str) -> str:
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c)
    )
    kept = "".join(c for c in plain.translate(_LOOKALIKES) if c not in _ORNAMENTS)
    return kept.replace("rn", "m").replace("vv", "w")
