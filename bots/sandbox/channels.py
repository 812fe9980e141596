"""Categories and text channels: making, changing and removing them."""

from __future__ import annotations

from collections.abc import Callable

from bots.sandbox import payloads
from bots.sandbox.errors import refusal
from bots.sandbox.events import Event, Intent
from bots.sandbox.forms import Form
from bots.sandbox.model import Channel, ChannelType, Overwrite, User
from bots.sandbox.permissions import Permission
from bots.sandbox.world import World

MOST_CHANNELS = 500
_MOST_IN_CATEGORY = 50
_MOST_TOPIC = 1_024
_MOST_SLOWMODE_S = 21_600
_ALL_BITS = (1 << 63) - 1


def read(world: World, form: Form, into: Channel) -> None:
    """Take the fields of `form` over into `into`; what is wrong is added to its problems."""
    if form.given("name"):
        name = form.text("name", least=1, most=100)
        into.name = name if into.type == ChannelType.CATEGORY else as_text_name(name)
    if "topic" in form:
        into.topic = form.optional_text("topic", most=_MOST_TOPIC)
    if form.given("position"):
        into.position = form.integer("position", least=0)
    if form.given("nsfw"):
        into.nsfw = form.flag("nsfw")
    if "rate_limit_per_user" in form:
        into.slowmode_s = form.integer("rate_limit_per_user", least=0, most=_MOST_SLOWMODE_S)
    if "parent_id" in form:
        into.parent_id = _parent(world, form, into)
    if "permission_overwrites" in form:
        found = [overwrite(f) for f in form.forms("permission_overwrites", most=500)]
        into.overwrites = [o for o in found if o is not None]


def as_text_name(name: str) -> str:
    """A text channel's name as Discord keeps it: lower case, with dashes for spaces."""
    return "-".join(name.lower().split())


def overwrite(form: Form) -> Overwrite | None:
    """One overwrite; its ``id`` may also come from the path."""
    form.require("id", "type")
    target = form.snowflake("id")
    kind = form.choice("type", (0, 1), default=0)
    allow = form.integer("allow", least=0, most=_ALL_BITS)
    deny = form.integer("deny", least=0, most=_ALL_BITS)
    return None if target is None else Overwrite(id=target, type=kind, allow=allow, deny=deny)


def _parent(world: World, form: Form, child: Channel) -> int | None:
    parent_id = form.snowflake("parent_id")
    if parent_id is None:
        return None
    parent = world.channels.get(parent_id)
    if child.type == ChannelType.CATEGORY or not parent or parent.type != ChannelType.CATEGORY:
        form.wrong("parent_id", "CHANNEL_PARENT_INVALID", "Category does not exist")
        return None
    inside = [c for c in world.guild_channels() if c.parent_id == parent_id and c is not child]
    if len(inside) >= _MOST_IN_CATEGORY:
        message = "Maximum number of channels in category reached (50)"
        form.wrong("parent_id", "CHANNEL_PARENT_MAX_CHANNELS", message)
    return parent_id


def require_overwrites(world: World, user: User, changed: Channel) -> None:
    """Nobody grants or denies what it does not hold itself.

    :raises ApiError: 50013
    """
    held = world.guild_permissions(user)
    bits = 0
    for one in changed.overwrites:
        bits |= one.allow | one.deny
    if Permission.ADMINISTRATOR not in held and bits & ~int(held):
        raise refusal(50013)


def add(world: World, channel: Channel) -> None:
    """`channel` exists from now on.

    :raises ApiError: 30013, when the guild is full
    """
    if sum(1 for _ in world.guild_channels()) >= MOST_CHANNELS:
        raise refusal(30013)
    world.channels[channel.id] = channel
    _tell(world, "CHANNEL_CREATE", channel, _listed(world, channel))


def _listed(world: World, channel: Channel) -> frozenset[int]:
    return frozenset(u.id for u in world.users.values() if world.lists(u, channel))


def _tell(world: World, name: str, channel: Channel, to: frozenset[int]) -> None:
    world.publish(
        Event(
            name=name,
            payload=lambda viewer: payloads.channel(channel, world.guild_id, viewer),
            to=to,
            intent=Intent.GUILDS,
        )
    )


def change(world: World, channel: Channel, apply: Callable[[], None]) -> None:
    """Tell of what `apply` does to `channel`; for whom it appears or vanishes, just that."""
    before = _listed(world, channel)
    apply()
    after = _listed(world, channel)
    for name, to in (
        ("CHANNEL_DELETE", before - after),
        ("CHANNEL_CREATE", after - before),
        ("CHANNEL_UPDATE", before & after),
    ):
        if to:
            _tell(world, name, channel, to)


def delete(world: World, channel: Channel) -> None:
    """Remove `channel` with its threads and messages; a category's channels stay."""
    to = _listed(world, channel)
    below = [c for c in world.channels.values() if c.parent_id == channel.id]
    for gone in (channel, *(c for c in below if c.is_thread)):
        del world.channels[gone.id]
        world.forget_files(gone.messages.values())
    _tell(world, "CHANNEL_DELETE", channel, to)
    for child in below:
        if not child.is_thread:
            child.parent_id = None
            _tell(world, "CHANNEL_UPDATE", child, _listed(world, child))
