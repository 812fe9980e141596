"""Names as people type them, turned into the ids that the guild wants. Pure."""

from __future__ import annotations

import re

from bots.console.model import Guild, Kind
from bots.console.slash import Lookup

_FENCED = re.compile(r"(```.*?```|`[^`\n]*`)", re.DOTALL)
_MENTION = re.compile(r"(?<![\w@<])@([\w][\w.-]*)")
_CHANNEL = re.compile(r"(?<![\w#<&])#([\w][\w-]*)")


def with_ids(text: str, guild: Guild) -> str:
    """``@name`` and ``#name`` as mentions, outside code; names that nobody has stay words."""
    people = {m.name.lower(): m.id for m in guild.members.values() if m.status != "gone"}
    places = {c.name.lower(): c.id for c in guild.channels.values() if c.kind == Kind.TEXT}

    def person(found: re.Match[str]) -> str:
        # a full stop or dash after a name is the sentence's
        name = found[1]
        while name:
            if name.lower() in people:
                return f"<@{people[name.lower()]}>{found[1][len(name) :]}"
            if name[-1] not in ".-":
                break
            name = name[:-1]
        return found[0]

    def place(found: re.Match[str]) -> str:
        key = places.get(found[1].lower())
        return f"<#{key}>" if key else found[0]

    parts = _FENCED.split(text)
    for number in range(0, len(parts), 2):
        parts[number] = _CHANNEL.sub(place, _MENTION.sub(person, parts[number]))
    return "".join(parts)


def lookup(guild: Guild) -> Lookup:
    """How a slash command's options find people, channels and roles."""

    def user(name: str) -> str:
        name = name.strip("<@!>").lower()
        found = (m for m in guild.members.values() if name in (m.name.lower(), str(m.id)))
        return next((str(m.id) for m in found), "")

    def channel(name: str) -> str:
        name = name.strip("<#>").lower()
        found = (c for c in guild.channels.values() if name in (c.name.lower(), str(c.id)))
        return next((str(c.id) for c in found), "")

    def role(name: str) -> str:
        name = name.strip("<@&>").lower()
        found = (r for r, title in guild.roles.items() if name in (title.lower(), str(r)))
        return next((str(r) for r in found), "")

    return Lookup(user, channel, role)
