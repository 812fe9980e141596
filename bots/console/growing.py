"""Answers that are still being written: agents edit one message until it is whole. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from bots.console.model import Payload

#: what an agent's message ends with while more is to come, and what closes code that is open; what
#: was cut off keeps it
_MORE: Final = re.compile(r"(?:^|\s+)…(\n?```)?$")
#: what agents put before an answer of the offline brain, which is whole when it comes
OFFLINE: Final = "[offline brain]"
#: agents edit about every second while words come; typing marks tell of longer work
SILENT_S: Final = 10.0


def is_unfinished(one: Payload) -> bool:
    """It grows, or was cut off."""
    content = str(one.get("content") or "")
    if not one["author"].get("bot") or content.startswith(OFFLINE):
        return False
    return _MORE.search(content) is not None


def grows(one: Payload, now: datetime) -> bool:
    """It is unfinished, and was changed a moment ago."""
    if not is_unfinished(one):
        return False
    stamp = str(one.get("edited_timestamp") or one.get("timestamp") or "")
    try:
        return (now - datetime.fromisoformat(stamp)).total_seconds() < SILENT_S
    except (ValueError, TypeError):
        return False


def without_mark(text: str) -> str:
    """The words of an unfinished message."""
    return _MORE.sub(r"\1", text)
