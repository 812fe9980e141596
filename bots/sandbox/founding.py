"""Makes the guild from its configuration: roles, categories, channels, bots and people."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from bots.clock import utc_now
from bots.sandbox import permissions
from bots.sandbox.config import BotSpec, ChannelSpec, Config
from bots.sandbox.model import Channel, ChannelType, Role, User
from bots.sandbox.snowflake import named
from bots.sandbox.starts import SessionStarts
from bots.sandbox.tokens import user_of
from bots.sandbox.world import Schedule, World, call_later


def found(
    config: Config,
    *,
    clock: Callable[[], datetime] = utc_now,
    schedule: Schedule = call_later,
) -> World:
    """The world that `config` describes, before anybody has come.

    :raises ValueError: a bot token without an id, or two members with one token or id
    """
    starts = SessionStarts(
        per_day=config.gateway.identifies_per_day,
        pause_s=config.gateway.identify_every_s,
        clock=time.monotonic,
    )
    world = World(config.guild.name, starts=starts, clock=clock, schedule=schedule)
    operators, agents = _roles(world)
    for bot in config.bots:
        world.enrol(
            User(
                id=_id_of(bot),
                name=bot.name,
                token=bot.token,
                bot=True,
                intents=frozenset(bot.intents),
                role_ids=[agents.id],
            )
        )
    for person in config.users:
        world.enrol(
            User(
                id=named("user", person.name),
                name=person.name,
                token=person.token,
                operator=person.operator,
                role_ids=[operators.id] if person.operator else [],
            )
        )
    people = [u for u in world.users.values() if not u.bot]
    world.owner = next((u for u in people if u.operator), people[0] if people else None)
    _channels(world, config.channels, parent=None)
    for position, category in enumerate(config.categories):
        made = Channel(
            id=named("category", category.name),
            type=ChannelType.CATEGORY,
            name=category.name,
            position=position,
        )
        world.channels[made.id] = made
        _channels(world, category.channels, parent=made)
    return world


def _id_of(bot: BotSpec) -> int:
    try:
        return user_of(bot.token)
    except ValueError:
        told = f"{bot.name}: the token does not begin with a user id in base64"
        raise ValueError(told) from None


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


def _channels(world: World, specs: Sequence[ChannelSpec], *, parent: Channel | None) -> None:
    for position, spec in enumerate(specs):
        channel_id = named("channel", spec.name)
        if channel_id in world.channels:
            # two categories may each have a channel of one name
            place = f"{parent.name}/{spec.name}" if parent else f"/{spec.name}"
            channel_id = named("channel", place)
        world.channels[channel_id] = Channel(
            id=channel_id,
            type=ChannelType.TEXT,
            name=spec.name,
            topic=spec.topic or None,
            position=position,
            parent_id=parent.id if parent else None,
        )
