"""Gateway intents: which events a bot asks for, and which of them need a privilege.

Bits and groups are those of Discord's documentation, "Gateway Events", section "Gateway Intents".
"""

from __future__ import annotations

from enum import IntFlag


class Intent(IntFlag):
    """One bit a group of events."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_MODERATION = 1 << 2
    GUILD_EXPRESSIONS = 1 << 3
    GUILD_INTEGRATIONS = 1 << 4
    GUILD_WEBHOOKS = 1 << 5
    GUILD_INVITES = 1 << 6
    GUILD_VOICE_STATES = 1 << 7
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15
    GUILD_SCHEDULED_EVENTS = 1 << 16
    AUTO_MODERATION_CONFIGURATION = 1 << 20
    AUTO_MODERATION_EXECUTION = 1 << 21
    GUILD_MESSAGE_POLLS = 1 << 24
    DIRECT_MESSAGE_POLLS = 1 << 25


def every_intent() -> Intent:
    """All known bits: what a person's session, which names none, gets."""
    union = Intent(0)
    for intent in Intent:
        union |= intent
    return union


#: the privileged ones, by the name that the configuration uses
PRIVILEGED = {
    "members": Intent.GUILD_MEMBERS,
    "presences": Intent.GUILD_PRESENCES,
    "message_content": Intent.MESSAGE_CONTENT,
}


def parse(value: object) -> Intent | None:
    """The intents that `value` of an IDENTIFY names; None if it is no set of known bits."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None
    if value & ~every_intent().value:
        return None
    return Intent(value)


def forbidden(wanted: Intent, allowed: Intent) -> Intent:
    """Privileged bits of `wanted` that are not in `allowed`."""
    privileged = Intent(0)
    for intent in PRIVILEGED.values():
        privileged |= intent
    return wanted & privileged & ~allowed
