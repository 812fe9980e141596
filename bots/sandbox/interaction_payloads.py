"""INTERACTION_CREATE as the application gets it, and what its messages say of their origin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bots.sandbox import message_payloads, payloads
from bots.sandbox.drafts import MOST_BYTES
from bots.sandbox.events import Event
from bots.sandbox.interactions import Interaction
from bots.sandbox.model import Attachment, User
from bots.sandbox.payloads import Payload
from bots.sandbox.world import World

_LOCALE = "en-US"
IN_GUILD, IN_BOT_DM = 0, 1


def dispatch(world: World, interaction: Interaction) -> None:
    """Send `interaction` to its application's sessions."""
    payload = created(world, interaction)
    world.publish(
        Event(
            name="INTERACTION_CREATE",
            payload=lambda _: payload,
            to=frozenset({interaction.application.id}),
        )
    )


def created(world: World, interaction: Interaction) -> Payload:
    """The `d` of INTERACTION_CREATE."""
    channel, user, application = interaction.channel, interaction.user, interaction.application
    permissions = str(int(world.permissions(user, channel)))
    shown = payloads.channel(channel, world.guild_id, application)
    payload: Payload = {
        "id": str(interaction.id),
        "application_id": str(application.id),
        "type": int(interaction.type),
        "token": interaction.token,
        "version": 1,
        "data": interaction.data,
        "channel_id": str(channel.id),
        "channel": shown | {"permissions": permissions},
        "locale": _LOCALE,
        "app_permissions": str(int(world.permissions(application, channel))),
        "entitlements": [],
        "entitlement_sku_ids": [],
        "attachment_size_limit": MOST_BYTES,
    }
    if interaction.message is not None:
        payload["message"] = message_payloads.message(world, interaction.message, application)
    if channel.is_dm:
        return payload | {
            "user": payloads.user(user),
            "context": IN_BOT_DM,
            "authorizing_integration_owners": {"0": "0"},
        }
    return payload | {
        "member": world.member_payload(user) | {"permissions": permissions},
        "guild_id": str(world.guild_id),
        "guild": {"id": str(world.guild_id), "locale": _LOCALE, "features": []},
        "guild_locale": _LOCALE,
        "context": IN_GUILD,
        "authorizing_integration_owners": owners(world, interaction),
    }


def owners(world: World, interaction: Interaction) -> dict[str, str]:
    """Who let the application in: the guild (installation type 0); "0" in a bot's DM."""
    return {"0": "0" if interaction.channel.is_dm else str(world.guild_id)}


def metadata(world: World, interaction: Interaction) -> Payload:
    """``interaction_metadata`` of the messages that answer `interaction`."""
    told: Payload = {
        "id": str(interaction.id),
        "type": int(interaction.type),
        "user": payloads.user(interaction.user),
        "authorizing_integration_owners": owners(world, interaction),
    }
    if interaction.name is not None:
        told |= {"name": interaction.name, "command_type": 1}
    if interaction.message is not None:
        told["interacted_message_id"] = str(interaction.message.id)
    return told


def resolved(
    world: World, viewer: User, ids: Iterable[int], attachments: Iterable[Attachment] = ()
) -> dict[str, Any]:
    """``resolved``: the users, roles, channels and files that `ids` name, kind by kind."""
    found: dict[str, dict[str, Any]] = {}

    def keep(kind: str, key: int, shown: Payload) -> None:
        found.setdefault(kind, {})[str(key)] = shown

    for one in ids:
        if user := world.users.get(one):
            permissions = str(int(world.guild_permissions(user)))
            partial = payloads.partial_member(user, joined_at=world.founded_at)
            keep("users", one, payloads.user(user))
            keep("members", one, partial | {"permissions": permissions})
        elif role := world.roles.get(one):
            keep("roles", one, payloads.role(role))
        elif channel := world.channels.get(one):
            permissions = str(int(world.permissions(viewer, channel)))
            shown = payloads.channel(channel, world.guild_id, viewer)
            keep("channels", one, shown | {"permissions": permissions})
    for attachment in attachments:
        keep("attachments", attachment.id, payloads.attachment(attachment, world.base_url))
    return found
