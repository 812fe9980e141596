"""What happens in the sandbox guild, as gateway dispatches that still wait for their viewers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

from bots.sandbox.model import Message, User


class Intent(IntFlag):
    """What a bot asks to hear (Discord's documentation, "Gateway Intents")."""

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


@dataclass(frozen=True, kw_only=True)
class Event:
    """One dispatch: who may hear it, and what each of them gets."""

    #: the dispatch's name, as ``MESSAGE_CREATE``
    name: str
    #: the ``d`` that this viewer gets
    payload: Callable[[User], dict[str, Any]]
    #: only for those who may view this channel
    channel_id: int | None = None
    #: only for these users: ephemeral messages, DMs, interactions
    to: frozenset[int] | None = None
    #: a bot's session must have asked for it; None: everybody hears it
    intent: Intent | None = None
    #: the message that it carries, whose content the gateway may have to withhold
    message: Message | None = None
