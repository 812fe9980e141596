"""Makes the guild from its configuration: roles, categories, channels, bots and people."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bots.sandbox import permissions
from bots.sandbox.model import Channel, ChannelType, Role, User
from bots.sandbox.snowflake import named
from bots.sandbox.world import World, utc_now

#: what a bot's application may be allowed beyond the ordinary intents
PRIVILEGED = frozenset({"message_content", "members", "presences"})


def bot_id(token: str) -> int:
    """The user id in a bot token, whose first part is the id in base64.

    :raises ValueError: the token does not begin with one
    """
    first = token.partition(".")[0]
    try:
        return int(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (binascii.Error, ValueError) as error:
        raise ValueError("a bot token begins with its user id in base64 and a dot") from error


def found(config: Mapping[str, Any], *, clock: Callable[[], datetime] = utc_now) -> World:
    """The world that `config` (see docs/SANDBOX.md) describes.

    :raises ValueError: a bot token without an id, or two members with one token
    """
    world = World(str(config.get("guild", {}).get("name", "parley")), clock=clock)
    operators, agents = _roles(world)
    for bot in config.get("bots", ()):
        token = str(bot["token"])
        world.enrol(
            User(
                id=bot_id(token),
                name=str(bot["name"]),
                token=token,
                bot=True,
                intents=frozenset(bot.get("intents", PRIVILEGED)),
                role_ids=[agents.id],
            )
        )
    for person in config.get("users", ()):
        name, operator = str(person["name"]), bool(person.get("operator"))
        world.enrol(
            User(
                id=named("user", name),
                name=name,
                token=str(person["token"]),
                operator=operator,
                role_ids=[operators.id] if operator else [],
            )
        )
    _channels(world, config.get("channels", ()), parent=None)
    for position, category in enumerate(config.get("categories", ())):
        name = str(category["name"])
        made = Channel(
            id=named("category", name), type=ChannelType.CATEGORY, name=name, position=position
        )
        world.channels[made.id] = made
        _channels(world, category.get("channels", ()), parent=made)
    return world


def _roles(world: World) -> tuple[Role, Role]:
    everyone = Role(
        id=world.guild_id, name="@everyone", permissions=permissions.EVERYONE, position=0
    )
    agents = Role(
        id=named("role", "agents"), name="agents", permissions=permissions.AGENTS, position=1
    )
    operators = Role(
        id=named("role", "operators"),
        name="operators",
        permissions=permissions.Permission.ADMINISTRATOR,
        position=2,
        color=0xC0392B,
        hoist=True,
    )
    world.roles = {r.id: r for r in (everyone, agents, operators)}
    return operators, agents


def _channels(world: World, rows: Sequence[Mapping[str, Any]], *, parent: Channel | None) -> None:
    for position, row in enumerate(rows):
        name = str(row["name"])
        # two categories may each have a channel of one name
        place = f"{parent.name}/{name}" if parent else name
        channel_id = named("channel", name)
        if channel_id in world.channels:
            channel_id = named("channel", place)
        world.channels[channel_id] = Channel(
            id=channel_id,
            type=ChannelType.TEXT,
            name=name,
            topic=row.get("topic"),
            position=position,
            parent_id=parent.id if parent else None,
        )
