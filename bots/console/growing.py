"""Answers that are still being written: agents edit one message until it is whole. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from bots.console.model import Channel, Payload

#: what an agent's message ends with while more is to come, and what closes code that is open; what
#: was cut off keeps it
_MORE: Final = re.compile(r"(?:^|\s+)…(\n?```)?$")
#: what agents put before an answer of the offline brain, which is whole when it comes
OFFLINE: Final = "[offline brain]"
#: agents edit about every second while words come; typing marks tell of longer work
SILENT_S: Final = 10.0
#: what grows is among so many of the newest messages
NEWEST: Final = 30


def is_unfinished(one: Payload) -> bool:
    """It grows, or was cut off."""
    content = str(one.get("content") or "")
    # an update may leave the author out
    if not (one.get("author") or {}).get("bot") or content.startswith(OFFLINE):
        return False
    return _MORE.search(content) is not None


def grows(channel: Channel, one: Payload, now: datetime) -> bool:
    """It is unfinished, was changed a moment ago, and is the last that its author said there."""
    if not is_unfinished(one) or int(one["id"]) in channel.left:
        return False
    stamp = str(one.get("edited_timestamp") or one.get("timestamp") or "")
    try:
        return (now - datetime.fromisoformat(stamp)).total_seconds() < SILENT_S
    except (ValueError, TypeError):
        return False


def left_by(channel: Channel, author: int) -> list[int]:
    """Messages that `author` left unfinished in this channel, to be asked when they speak again."""
    newest = list(channel.messages.items())[-NEWEST:]
    return [i for i, one in newest if int(one["author"]["id"]) == author and is_unfinished(one)]


def without_mark(text: str) -> str:
    """The words of an unfinished message."""
    return _MORE.sub(r"\1", text)
