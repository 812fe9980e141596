"""Answers to CTCP PING and VERSION (modern.ircdocs.horse/ctcp); every other query gets silence."""

from __future__ import annotations

_DELIMITER = "\x01"
_LONGEST_ECHO = 100


def reply(text: str, *, version: str) -> str | None:
    """The text of the NOTICE that answers the private message `text`, None when none is due."""
    if not text.startswith(_DELIMITER):
        return None
    verb, _, rest = text.strip(_DELIMITER).partition(" ")
    match verb.upper():
        case "PING":
            return f"{_DELIMITER}PING {rest[:_LONGEST_ECHO]}{_DELIMITER}"
        case "VERSION":
            return f"{_DELIMITER}VERSION {version}{_DELIMITER}"
    return None
