"""One line from the server, taken apart, as every room of this package reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Line:
    #: ``PRIVMSG``, ``001`` …, upper case
    command: str
    params: tuple[str, ...] = ()
    #: nick of a person, name of a server, or empty
    sender: str = ""
    #: ``user@host``; empty when a server speaks
    userhost: str = ""
    tags: Mapping[str, str | None] = field(default_factory=dict)

    def param(self, index: int) -> str:
        """Parameter number `index`, or an empty string where the server sent fewer."""
        return self.params[index] if -len(self.params) <= index < len(self.params) else ""

    @property
    def words(self) -> str:
        """What the server says to people: the last parameter."""
        return self.param(-1)

    @property
    def time(self) -> datetime | None:
        """Aware UTC from the `time` tag (IRCv3 server-time), None when missing or malformed."""
        raw = self.tags.get("time")
        if not raw or not raw.endswith("Z"):
            return None
        try:
            return datetime.fromisoformat(raw)
        except ValueError:
            return None
