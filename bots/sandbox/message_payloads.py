"""How a message looks on the wire to one viewer (Discord's documentation, "Message Object")."""

from __future__ import annotations

from bots.sandbox import payloads
from bots.sandbox.model import Message, MessageFlag, User
from bots.sandbox.payloads import Payload, moment
from bots.sandbox.visibility import without_content
from bots.sandbox.world import World


def emoji(key: str) -> Payload:
    """A reaction's emoji; `key` is ``👀`` or ``name:id``."""
    name, _, emoji_id = key.partition(":")
    return {"id": emoji_id or None, "name": name}


def message(world: World, one: Message, viewer: User, *, quoted: bool = False) -> Payload:
    """`one` as REST shows it; `quoted`: inside another message."""
    channel = world.channels.get(one.channel_id)
    payload: Payload = {
        "id": str(one.id),
        "channel_id": str(one.channel_id),
        "type": int(one.type),
        "author": payloads.user(one.author),
        "content": one.content,
        "timestamp": moment(one.created_at),
        "edited_timestamp": moment(one.edited_at) if one.edited_at else None,
        "tts": one.tts,
        "mention_everyone": one.mention_everyone,
        "mentions": [payloads.user(u) for u in one.mentions],
        "mention_roles": [str(r) for r in one.mention_roles],
        "mention_channels": [],
        "attachments": [payloads.attachment(a, world.base_url) for a in one.attachments],
        "embeds": [] if one.flags & MessageFlag.SUPPRESS_EMBEDS else one.embeds,
        "components": one.components,
        "pinned": one.pinned,
        "flags": int(one.flags),
        **_optional(one),
    }
    if one.reactions:
        payload["reactions"] = [_reaction(k, who, viewer) for k, who in one.reactions.items()]
    if one.thread_id in world.channels and one.thread_id is not None:
        thread = world.channels[one.thread_id]
        payload["thread"] = payloads.channel(thread, world.guild_id, viewer)
    if one.reference and not quoted and "message_id" in one.reference:
        referenced = one.referenced
        payload["referenced_message"] = (
            message(world, referenced, viewer, quoted=True) if referenced else None
        )
    # REST withholds from applications that may not have the intent at all
    unread = channel and viewer.bot and "message_content" not in viewer.intents
    return without_content(payload) if unread and world.withholds(one, viewer) else payload


def _optional(one: Message) -> Payload:
    payload: Payload = {}
    if one.nonce is not None:
        payload["nonce"] = one.nonce
    if one.reference:
        payload["message_reference"] = one.reference
    if one.application_id is not None:
        payload["application_id"] = str(one.application_id)
    if one.interaction is not None:
        payload["interaction_metadata"] = one.interaction
        payload["webhook_id"] = str(one.application_id)
    return payload


def _reaction(key: str, who: list[int], viewer: User) -> Payload:
    return {
        "emoji": emoji(key),
        "count": len(who),
        "count_details": {"burst": 0, "normal": len(who)},
        "me": viewer.id in who,
        "me_burst": False,
        "burst_colors": [],
    }


def dispatched(world: World, one: Message, viewer: User) -> Payload:
    """`one` as MESSAGE_CREATE and MESSAGE_UPDATE carry it."""
    payload = message(world, one, viewer) | placed(world, one.channel_id)
    channel = world.channels.get(one.channel_id)
    if channel is None or channel.is_dm:
        return payload
    payload["member"] = payloads.partial_member(one.author, joined_at=world.founded_at)
    payload["mentions"] = [
        payloads.user(u) | {"member": payloads.partial_member(u, joined_at=world.founded_at)}
        for u in one.mentions
    ]
    return payload


def placed(world: World, channel_id: int) -> Payload:
    """The fields that say where something happened; a DM has no guild."""
    channel = world.channels.get(channel_id)
    where = {"channel_id": str(channel_id)}
    if channel is not None and not channel.is_dm:
        where["guild_id"] = str(world.guild_id)
    return where


def reference(world: World, one: Message) -> Payload:
    """``message_reference`` of what answers `one`, or begins a thread on it."""
    return {"type": 0, "message_id": str(one.id), **placed(world, one.channel_id)}


def deleted(world: World, one: Message) -> Payload:
    return {"id": str(one.id), **placed(world, one.channel_id)}
