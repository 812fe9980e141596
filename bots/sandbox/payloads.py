"""How people, roles, channels and the guild look on the wire (Discord's documentation, v10)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bots.sandbox.model import Attachment, Channel, ChannelType, Overwrite, Role, User

if TYPE_CHECKING:
    from bots.sandbox.world import World

Payload = dict[str, Any]


def moment(at: datetime) -> str:
    """A time as Discord writes it: ISO 8601 with microseconds and offset."""
    return at.isoformat(timespec="microseconds")


def optional_id(value: int | None) -> str | None:
    return None if value is None else str(value)


def user(one: User) -> Payload:
    """A user as others see it."""
    return {
        "id": str(one.id),
        "username": one.name,
        "global_name": one.global_name,
        "discriminator": "0000" if one.bot else "0",
        "avatar": one.avatar,
        "banner": None,
        "accent_color": None,
        "bot": one.bot,
        "system": False,
        "public_flags": 0,
        "primary_guild": None,
        "avatar_decoration_data": None,
        "collectibles": None,
    }


def own_user(one: User) -> Payload:
    """A user as it sees itself."""
    return {
        **user(one),
        "flags": 0,
        "verified": True,
        "mfa_enabled": False,
        "email": None,
        "locale": "en-US",
        "premium_type": 0,
    }


def partial_member(one: User, *, joined_at: datetime) -> Payload:
    """A member without its user, as messages carry it."""
    return {
        "roles": [str(r) for r in one.role_ids],
        "nick": one.nick,
        "avatar": None,
        "banner": None,
        "joined_at": moment(joined_at),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
        "communication_disabled_until": None,
    }


def member(one: User, *, joined_at: datetime) -> Payload:
    return {"user": user(one), **partial_member(one, joined_at=joined_at)}


def presence(one: User) -> Payload:
    online = one.status != "offline"
    return {
        "user": {"id": str(one.id)},
        "status": one.status,
        "activities": one.activities if online else [],
        "client_status": {"web": one.status} if online else {},
    }


def role(one: Role) -> Payload:
    return {
        "id": str(one.id),
        "name": one.name,
        "description": None,
        "color": one.color,
        "colors": {
            "primary_color": one.color,
            "secondary_color": None,
            "tertiary_color": None,
        },
        "hoist": one.hoist,
        "icon": None,
        "unicode_emoji": None,
        "position": one.position,
        "permissions": str(int(one.permissions)),
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def overwrite(one: Overwrite) -> Payload:
    return {
        "id": str(one.id),
        "type": one.type,
        "allow": str(one.allow),
        "deny": str(one.deny),
    }


def attachment(one: Attachment, base_url: str) -> Payload:
    url = f"{base_url}/attachments/{one.channel_id}/{one.id}/{one.filename}"
    payload = {
        "id": str(one.id),
        "filename": one.filename,
        "size": len(one.data),
        "url": url,
        "proxy_url": url,
        "content_type": one.content_type,
        "flags": 0,
    }
    return payload if one.description is None else {**payload, "description": one.description}


def channel(one: Channel, guild_id: int, viewer: User | None = None) -> Payload:
    """A channel of any kind; a DM names the recipients other than `viewer`."""
    if one.is_dm:
        return {
            "id": str(one.id),
            "type": int(one.type),
            "last_message_id": optional_id(one.last_message_id),
            "recipients": [user(u) for u in one.recipients if u is not viewer],
            "flags": 0,
        }
    if one.is_thread:
        return _thread(one, guild_id, viewer)
    payload: Payload = {
        "id": str(one.id),
        "type": int(one.type),
        "guild_id": str(guild_id),
        "name": one.name,
        "position": one.position,
        "permission_overwrites": [overwrite(o) for o in one.overwrites],
        "parent_id": optional_id(one.parent_id),
        "nsfw": one.nsfw,
        "flags": 0,
    }
    if one.type == ChannelType.CATEGORY:
        return payload
    return payload | {
        "topic": one.topic,
        "rate_limit_per_user": one.slowmode_s,
        "last_message_id": optional_id(one.last_message_id),
        "last_pin_timestamp": None,
    }


def _thread(one: Channel, guild_id: int, viewer: User | None) -> Payload:
    changed_at, opened_at = one.archive_changed_at, one.opened_at
    payload: Payload = {
        "id": str(one.id),
        "type": int(one.type),
        "guild_id": str(guild_id),
        "parent_id": optional_id(one.parent_id),
        "owner_id": optional_id(one.owner_id),
        "name": one.name,
        "rate_limit_per_user": one.slowmode_s,
        "last_message_id": optional_id(one.last_message_id),
        "message_count": one.message_count,
        "total_message_sent": one.message_count,
        "member_count": len(one.members),
        "flags": 0,
        "thread_metadata": {
            "archived": one.archived,
            "auto_archive_duration": one.auto_archive_min,
            "archive_timestamp": moment(changed_at) if changed_at else None,
            "create_timestamp": moment(opened_at) if opened_at else None,
            "locked": one.locked,
            "invitable": one.invitable,
        },
    }
    if viewer is not None and viewer.id in one.members:
        payload["member"] = thread_member(one, viewer.id)
    return payload


def thread_member(thread: Channel, user_id: int) -> Payload:
    return {
        "id": str(thread.id),
        "user_id": str(user_id),
        "join_timestamp": moment(thread.members[user_id]),
        "flags": 0,
        "muted": False,
        "mute_config": None,
    }


def guild(world: World) -> Payload:
    """The guild without what is in it, as GET guilds/{id} shows it."""
    owner = world.owner
    return {
        "id": str(world.guild_id),
        "name": world.name,
        "owner_id": str(owner.id if owner else world.guild_id),
        "roles": [role(r) for r in world.roles.values()],
        **{key: [] for key in ("emojis", "stickers", "features")},
        **dict.fromkeys(_ABSENT),
        **_SETTINGS,
    }


#: what a guild may have and this one has not
_ABSENT = (
    "icon",
    "splash",
    "discovery_splash",
    "description",
    "banner",
    "application_id",
    "afk_channel_id",
    "system_channel_id",
    "rules_channel_id",
    "public_updates_channel_id",
    "safety_alerts_channel_id",
    "vanity_url_code",
)
#: lists of GUILD_CREATE that stay empty here
_EMPTY = ("voice_states", "stage_instances", "guild_scheduled_events", "soundboard_sounds")
_SETTINGS = {
    "afk_timeout": 300,
    "verification_level": 0,
    "default_message_notifications": 1,
    "explicit_content_filter": 0,
    "mfa_level": 0,
    "nsfw_level": 0,
    "system_channel_flags": 0,
    "premium_tier": 0,
    "premium_subscription_count": 0,
    "premium_progress_bar_enabled": False,
    "preferred_locale": "en-US",
    "max_members": 500_000,
    "max_video_channel_users": 25,
}


def guild_create(world: World, viewer: User) -> Payload:
    """The guild with all in it that `viewer` may see."""
    threads: Iterable[Channel] = (
        t for t in world.threads() if not t.archived and world.can_view(viewer, t.id)
    )
    members = list(world.users.values())
    return {
        **guild(world),
        "joined_at": moment(world.founded_at),
        "large": False,
        "unavailable": False,
        "member_count": len(members),
        "members": [world.member_payload(u) for u in members],
        "presences": [presence(u) for u in members if u.status != "offline"],
        "channels": [
            channel(c, world.guild_id, viewer)
            for c in world.guild_channels()
            if world.lists(viewer, c)
        ],
        "threads": [channel(t, world.guild_id, viewer) for t in threads],
        **{key: [] for key in _EMPTY},
    }
