"""channels/{id}/messages/{id}/reactions."""

from __future__ import annotations

from typing import Any

from bots.sandbox import payloads, reactions
from bots.sandbox.permissions import Permission
from bots.sandbox.rest.call import Call
from bots.sandbox.rest.table import Table

table = Table()

_REACTIONS = "/channels/{channel_id}/messages/{message_id}/reactions"
_ONE = _REACTIONS + "/{emoji}"


@table.route("PUT", _ONE + "/@me", bucket="reactions")
async def react(call: Call) -> Any:
    channel = call.channel(Permission.READ_MESSAGE_HISTORY)
    message = call.message(channel)
    emoji = reactions.known_emoji(call.text("emoji"))
    reactions.add(call.world, call.user, channel, message, emoji)


@table.route("DELETE", _ONE + "/@me", bucket="reactions")
async def take_back(call: Call) -> Any:
    channel = call.channel()
    message = call.message(channel)
    reactions.remove(call.world, call.user.id, channel, message, call.text("emoji"))


@table.route("DELETE", _ONE + "/{user_id}", bucket="reactions")
async def remove_of_other(call: Call) -> Any:
    user_id = call.id("user_id")
    needed = () if user_id == call.user.id else (Permission.MANAGE_MESSAGES,)
    channel = call.channel(*needed)
    message = call.message(channel)
    reactions.remove(call.world, user_id, channel, message, call.text("emoji"))


@table.route("GET", _ONE)
async def list_who_reacted(call: Call) -> Any:
    """Takes ``limit`` 1 to 100 and ``after`` (a user id); the users by id."""
    channel, query = call.channel(Permission.READ_MESSAGE_HISTORY), call.query()
    limit = query.integer("limit", least=1, most=100, default=25)
    after = query.snowflake("after") or 0
    query.problems.check()
    who = call.message(channel).reactions.get(call.text("emoji"), [])
    ids = sorted(u for u in who if u > after)[:limit]
    return [payloads.user(call.world.users[u]) for u in ids]


@table.route("DELETE", _REACTIONS, bucket="reactions")
async def clear(call: Call) -> Any:
    channel = call.channel(Permission.MANAGE_MESSAGES)
    reactions.clear(call.world, channel, call.message(channel))


@table.route("DELETE", _ONE, bucket="reactions")
async def clear_emoji(call: Call) -> Any:
    channel = call.channel(Permission.MANAGE_MESSAGES)
    reactions.clear(call.world, channel, call.message(channel), call.text("emoji"))
