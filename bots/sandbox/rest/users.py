"""users/…: oneself, others, and the DMs between."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

from bots.sandbox import dms, members, payloads
from bots.sandbox.errors import refusal
from bots.sandbox.events import Event
from bots.sandbox.forms import Form, Problems
from bots.sandbox.model import User
from bots.sandbox.pictures import kind_of
from bots.sandbox.rest.call import Call
from bots.sandbox.rest.table import Table

table = Table()

_MOST_AVATAR_BYTES = 10 * 1024 * 1024


@table.route("GET", "/users/@me")
async def get_own_user(call: Call) -> Any:
    return payloads.own_user(call.user)


@table.route("PATCH", "/users/@me", bucket="avatar")
async def change_own_user(call: Call) -> Any:
    """Takes ``username`` and ``avatar`` (a data URI, or null)."""
    body, user = await call.body(), call.user
    problems = Problems()
    form = Form(body, problems)
    name = form.text("username", least=2, most=32, default=user.name)
    others = (u for u in call.world.users.values() if u is not user)
    taken = any(u.name.casefold() == name.casefold() for u in others)
    if taken:
        form.wrong("username", "USERNAME_ALREADY_TAKEN", "Username is already taken.")
    image = _image(form) if form.given("avatar") else b""
    problems.check()
    user.name = name
    if "avatar" in form:
        user.avatar_image = image
        user.avatar = hashlib.md5(image, usedforsecurity=False).hexdigest() if image else None
    _changed(call, user)
    return payloads.own_user(user)


def _image(form: Form) -> bytes:
    """The bytes in the data URI of ``avatar``; empty when it is none."""
    uri = str(form.raw("avatar"))
    head, _, encoded = uri.partition(",")
    try:
        image = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        image = b""
    if not (head.startswith("data:image/") and head.endswith(";base64") and kind_of(image)):
        form.wrong("avatar", "IMAGE_INVALID", "Invalid image data")
    elif len(image) > _MOST_AVATAR_BYTES:
        message = "File cannot be larger than 10240.0 kb."
        form.wrong("avatar", "BINARY_TYPE_MAX_SIZE", message)
    return image


def _changed(call: Call, user: User) -> None:
    world = call.world
    world.publish(
        Event(
            name="USER_UPDATE",
            payload=lambda _: payloads.own_user(user),
            to=frozenset({user.id}),
        )
    )
    members.changed(world, user)


@table.route("GET", "/users/@me/guilds")
async def list_own_guilds(call: Call) -> Any:
    world = call.world
    return [
        {
            "id": str(world.guild_id),
            "name": world.name,
            "icon": None,
            "banner": None,
            "owner": world.owner is call.user,
            "permissions": str(int(world.guild_permissions(call.user))),
            "features": [],
        }
    ]


@table.route("GET", "/users/@me/channels")
async def list_dms(call: Call) -> Any:
    """The DMs of a person that hold messages; bots get none, as on Discord."""
    world = call.world
    if call.user.bot:
        return []
    mine = (c for c in world.channels.values() if c.is_dm and call.user in c.recipients)
    return [payloads.channel(c, world.guild_id, call.user) for c in mine if c.last_message_id]


@table.route("POST", "/users/@me/channels", bucket="dms")
async def open_dm(call: Call) -> Any:
    """Takes ``recipient_id``, or ``recipients`` with one id as people's clients send it."""
    problems = Problems()
    form = Form(await call.body(), problems)
    recipients = form.snowflakes("recipients", most=1)
    recipient = form.snowflake("recipient_id") or next(iter(recipients), None)
    if recipient is None:
        form.require("recipient_id")
    problems.check()
    other = call.world.users.get(recipient or 0)
    if other is None:
        raise refusal(50033)
    channel = dms.between(call.world, call.user, other)
    dms.show(call.world, channel)
    return payloads.channel(channel, call.world.guild_id, call.user)


@table.route("GET", "/users/{user_id}")
async def get_user(call: Call) -> Any:
    user = call.world.users.get(call.id("user_id"))
    if user is None:
        raise refusal(10013)
    return payloads.user(user)
