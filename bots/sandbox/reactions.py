"""Reactions: who put which emoji on which message."""

from __future__ import annotations

import unicodedata
from typing import Any

from bots.sandbox import message_payloads
from bots.sandbox.errors import refusal
from bots.sandbox.events import Event, Intent
from bots.sandbox.model import Channel, Message, User
from bots.sandbox.permissions import Permission
from bots.sandbox.world import World

#: different emojis on one message
MOST = 20
_LONGEST = 16
_KEYCAP = "\u20e3"


def known_emoji(text: str) -> str:
    """`text`, if it is a Unicode emoji; the sandbox guild has no emojis of its own.

    :raises ApiError: 10014
    """
    symbols = (c == _KEYCAP or unicodedata.category(c) in ("So", "Sk") for c in text)
    if text.isascii() or len(text) > _LONGEST or not any(symbols):
        raise refusal(10014)
    return text


def add(world: World, user: User, channel: Channel, message: Message, emoji: str) -> None:
    """`user` reacts; nothing happens if it did already.

    :raises ApiError: 50013 to begin a new emoji without ADD_REACTIONS, 30010 past the 20th
    """
    who = message.reactions.get(emoji, [])
    if user.id in who:
        return
    if not who:
        if Permission.ADD_REACTIONS not in world.permissions(user, channel):
            raise refusal(50013)
        if len(message.reactions) >= MOST:
            raise refusal(30010)
    message.reactions[emoji] = [*who, user.id]
    told = _told(world, message, emoji, user.id) | {"message_author_id": str(message.author.id)}
    if not channel.is_dm:
        told["member"] = world.member_payload(user)
    _publish(world, "MESSAGE_REACTION_ADD", channel, told)


def remove(world: World, user_id: int, channel: Channel, message: Message, emoji: str) -> None:
    """:raises ApiError: 10014, if that user did not react so"""
    who = message.reactions.get(emoji, [])
    if user_id not in who:
        raise refusal(10014)
    who.remove(user_id)
    if not who:
        del message.reactions[emoji]
    _publish(world, "MESSAGE_REACTION_REMOVE", channel, _told(world, message, emoji, user_id))


def clear(world: World, channel: Channel, message: Message, emoji: str | None = None) -> None:
    """Remove everybody's reactions, or those with one emoji."""
    told: dict[str, Any] = {
        "message_id": str(message.id),
        **message_payloads.placed(world, channel.id),
    }
    if emoji is None:
        message.reactions.clear()
        _publish(world, "MESSAGE_REACTION_REMOVE_ALL", channel, told)
        return
    message.reactions.pop(emoji, None)
    told["emoji"] = message_payloads.emoji(emoji)
    _publish(world, "MESSAGE_REACTION_REMOVE_EMOJI", channel, told)


def _told(world: World, message: Message, emoji: str, user_id: int) -> dict[str, Any]:
    return {
        "user_id": str(user_id),
        "message_id": str(message.id),
        "emoji": message_payloads.emoji(emoji),
        "burst": False,
        "type": 0,
        **message_payloads.placed(world, message.channel_id),
    }


def _publish(world: World, name: str, channel: Channel, told: dict[str, Any]) -> None:
    direct = channel.is_dm
    world.publish(
        Event(
            name=name,
            payload=lambda _: told,
            channel_id=channel.id,
            to=channel.audience,
            intent=Intent.DIRECT_MESSAGE_REACTIONS if direct else Intent.GUILD_MESSAGE_REACTIONS,
        )
    )
