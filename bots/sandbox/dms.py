"""Channels between two members."""

from __future__ import annotations

from bots.sandbox import payloads
from bots.sandbox.errors import refusal
from bots.sandbox.events import Event
from bots.sandbox.model import Channel, ChannelType, User
from bots.sandbox.snowflake import named
from bots.sandbox.world import World


def between(world: World, one: User, other: User) -> Channel:
    """The DM of two members, the same one every time and after every restart.

    :raises ApiError: 50007, to oneself or between bots
    """
    if one is other or (one.bot and other.bot):
        raise refusal(50007)
    lower, higher = sorted((one, other), key=lambda user: user.id)
    channel_id = named("dm", f"{lower.id}/{higher.id}")
    if channel_id not in world.channels:
        world.channels[channel_id] = Channel(
            id=channel_id, type=ChannelType.DM, recipients=(one, other)
        )
    return world.channels[channel_id]


def show(world: World, channel: Channel) -> None:
    """Tell the people in a DM that it exists, once; bots learn it from the first message."""
    if channel.shown:
        return
    channel.shown = True
    people = frozenset(u.id for u in channel.recipients if not u.bot)
    world.publish(
        Event(
            name="CHANNEL_CREATE",
            payload=lambda viewer: payloads.channel(channel, world.guild_id, viewer),
            to=people,
        )
    )
