"""channels/{id}, guilds/{id}/channels, and who may do what in them."""

from __future__ import annotations

from copy import copy
from typing import Any

from bots.sandbox import channels, payloads, threads
from bots.sandbox.errors import plain, refusal
from bots.sandbox.forms import Form, Problems, snowflake
from bots.sandbox.model import Channel, ChannelType
from bots.sandbox.permissions import Permission
from bots.sandbox.rest.call import Call, Reply
from bots.sandbox.rest.table import Table
from bots.sandbox.rest.threads import change_thread, delete_thread

table = Table()

_CHANNEL = "/channels/{channel_id}"
_OVERWRITE = _CHANNEL + "/permissions/{target_id}"
_GUILD_CHANNELS = "/guilds/{guild_id}/channels"
#: what a change takes over
_FIELDS = ("name", "topic", "position", "nsfw", "slowmode_s", "parent_id", "overwrites")


@table.route("GET", _GUILD_CHANNELS)
async def list_channels(call: Call) -> Any:
    call.guild()
    world, user = call.world, call.user
    listed = (c for c in world.guild_channels() if world.lists(user, c))
    return [payloads.channel(c, world.guild_id, user) for c in listed]


@table.route("POST", _GUILD_CHANNELS, bucket="channels")
async def create_channel(call: Call) -> Any:
    """A category (type 4) or a text channel (type 0)."""
    call.guild(Permission.MANAGE_CHANNELS)
    world, problems = call.world, Problems()
    form = Form(await call.body(), problems)
    form.require("name")
    kinds = (ChannelType.TEXT, ChannelType.CATEGORY)
    kind = ChannelType(form.choice("type", kinds, default=ChannelType.TEXT))
    made = Channel(id=world.snowflakes.next(), type=kind)
    made.position = 1 + max((c.position for c in world.guild_channels()), default=-1)
    channels.read(world, form, made)
    problems.check()
    channels.require_overwrites(world, call.user, made)
    if made.parent_id is not None and "permission_overwrites" not in form:
        # a new channel begins with its category's rules
        made.overwrites = list(world.channels[made.parent_id].overwrites)
    channels.add(world, made)
    return Reply(201, payloads.channel(made, world.guild_id, call.user))


@table.route("PATCH", _GUILD_CHANNELS, bucket="channels")
async def move_channels(call: Call) -> Any:
    """Takes a list of ``{id, position, parent_id}``."""
    call.guild(Permission.MANAGE_CHANNELS)
    world, problems = call.world, Problems()
    for number, row in enumerate(await call.list_body()):
        form = Form(row if isinstance(row, dict) else {}, problems, str(number))
        form.require("id")
        channel = world.channels.get(form.snowflake("id") or 0)
        if channel is None or channel.is_dm or channel.is_thread:
            form.wrong("id", "CHANNEL_INVALID", "Unknown Channel")
            continue
        moves = {k: form.raw(k) for k in ("position", "parent_id") if k in form}
        _change(call, channel, Form(moves, problems, str(number)))
    problems.check()


def _change(call: Call, channel: Channel, form: Form) -> None:
    """Check `form` against a copy first, so that a wrong field changes nothing."""
    draft = copy(channel)
    channels.read(call.world, form, draft)
    form.problems.check()

    def apply() -> None:
        for field in _FIELDS:
            setattr(channel, field, getattr(draft, field))

    if draft.overwrites != channel.overwrites:
        channels.require_overwrites(call.world, call.user, draft)
    channels.change(call.world, channel, apply)


@table.route("GET", _CHANNEL)
async def get_channel(call: Call) -> Any:
    channel = call.channel()
    threads.put_to_sleep(call.world)
    return payloads.channel(channel, call.world.guild_id, call.user)


@table.route("PATCH", _CHANNEL, bucket="channels")
async def change_channel(call: Call) -> Any:
    """A guild channel, or a thread (its name, and whether it sleeps or is locked)."""
    channel, body = call.channel(), await call.body()
    if channel.is_dm:
        raise refusal(50003)
    if channel.is_thread:
        change_thread(call, channel, body)
    else:
        needed = {Permission.MANAGE_CHANNELS}
        if "permission_overwrites" in body:
            needed.add(Permission.MANAGE_ROLES)
        call.channel(*needed)
        _change(call, channel, Form(body, Problems()))
    return payloads.channel(channel, call.world.guild_id, call.user)


@table.route("DELETE", _CHANNEL, bucket="channels")
async def delete_channel(call: Call) -> Any:
    """Gives the channel as it was; a DM only closes, and stays."""
    channel = call.channel()
    shown = payloads.channel(channel, call.world.guild_id, call.user)
    if channel.is_thread:
        delete_thread(call, channel)
    elif not channel.is_dm:
        call.channel(Permission.MANAGE_CHANNELS)
        channels.delete(call.world, channel)
    return shown


@table.route("PUT", _OVERWRITE, bucket="channels")
async def put_overwrite(call: Call) -> Any:
    channel = _with_overwrites(call)
    problems = Problems()
    body = await call.body() | {"id": str(call.id("target_id"))}
    one = channels.overwrite(Form(body, problems))
    problems.check()
    if one is None:
        raise plain(404, "Not Found")
    others = [o for o in channel.overwrites if o.id != one.id]
    _set_overwrites(call, channel, [*others, one])


@table.route("DELETE", _OVERWRITE, bucket="channels")
async def delete_overwrite(call: Call) -> Any:
    channel = _with_overwrites(call)
    target = snowflake(call.text("target_id"))
    left = [o for o in channel.overwrites if o.id != target]
    if len(left) == len(channel.overwrites):
        raise refusal(10009)
    _set_overwrites(call, channel, left)


def _with_overwrites(call: Call) -> Channel:
    channel = call.channel(Permission.MANAGE_ROLES)
    if channel.is_dm or channel.is_thread:
        raise refusal(50024)
    return channel


def _set_overwrites(call: Call, channel: Channel, overwrites: list[Any]) -> None:
    draft = copy(channel)
    draft.overwrites = overwrites
    channels.require_overwrites(call.world, call.user, draft)
    channels.change(call.world, channel, lambda: setattr(channel, "overwrites", overwrites))
