"""The reactions of one message as they come and go. Pure: a list in, a list out."""

from __future__ import annotations

from bots.console.model import Payload

Reactions = list[Payload]


def key_of(emoji: Payload) -> str:
    """How an emoji is named in an address: ``👀``, or ``name:id`` for a guild's own."""
    name, number = emoji.get("name") or "", emoji.get("id")
    return f"{name}:{number}" if number else str(name)


def added(before: Reactions, emoji: Payload, mine: bool) -> Reactions:  # noqa: FBT001 - a handler
    key = key_of(emoji)
    for one in before:
        if key_of(one["emoji"]) == key:
            if mine and one.get("me"):
                return before
            grown = one | {"count": one["count"] + 1, "me": bool(one.get("me")) or mine}
            return [grown if o is one else o for o in before]
    return [*before, {"emoji": emoji, "count": 1, "me": mine}]


def removed(before: Reactions, emoji: Payload, mine: bool) -> Reactions:  # noqa: FBT001 - a handler
    key = key_of(emoji)
    after: Reactions = []
    for one in before:
        if key_of(one["emoji"]) != key:
            after.append(one)
        elif one["count"] > 1:
            after.append(one | {"count": one["count"] - 1, "me": bool(one.get("me")) and not mine})
    return after


def cleared(before: Reactions, emoji: Payload, mine: bool) -> Reactions:  # noqa: FBT001 - a handler
    return []


def forgotten(before: Reactions, emoji: Payload, mine: bool) -> Reactions:  # noqa: FBT001 - a handler
    key = key_of(emoji)
    return [one for one in before if key_of(one["emoji"]) != key]
