"""Who hears an event, and what is withheld: pure rules, asked once a session and event.

Sources: Discord's documentation, "Gateway" (sections "Gateway Intents" and "Message Content
Intent") and "Gateway Events" (Guild Create: members and presences without GUILD_PRESENCES are
only the bot itself). Which message is withheld from whom is the world's rule, because REST
keeps it too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bots.sandbox.events import Event, Intent
from bots.sandbox.model import User

#: fields of a message that carry what people wrote
_CONTENT: dict[str, Any] = {"content": "", "embeds": [], "attachments": [], "components": []}


def hears(
    event: Event, user: User, intents: Intent | None, can_view: Callable[[User, int], bool]
) -> bool:
    """Whether a session of `user` with these intents gets `event`."""
    if event.to is not None and user.id not in event.to:
        return False
    if intents is not None and event.intent is not None and not event.intent & intents:
        return False
    return event.channel_id is None or can_view(user, event.channel_id)


def without_content(payload: dict[str, Any]) -> dict[str, Any]:
    """A message's `payload` as it is shown to bots that may not read it."""
    return payload | {key: empty for key, empty in _CONTENT.items() if key in payload}


def trim_guild(guild: dict[str, Any], user: User, intents: Intent | None) -> dict[str, Any]:
    """GUILD_CREATE for these intents: without GUILD_PRESENCES only the bot's own member."""
    if intents is None or Intent.GUILD_PRESENCES in intents:
        return guild
    own = str(user.id)
    return guild | {
        "members": [m for m in guild["members"] if m["user"]["id"] == own],
        "presences": [],
    }
