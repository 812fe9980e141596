"""channels/{id}/messages: sending, reading, changing and deleting."""

from __future__ import annotations

from typing import Any

from bots.sandbox import drafts, message_edits, message_payloads, messages
from bots.sandbox.errors import refusal
from bots.sandbox.events import Event, Intent
from bots.sandbox.forms import Form, Problems
from bots.sandbox.model import MessageFlag
from bots.sandbox.permissions import Permission
from bots.sandbox.rest.call import Call
from bots.sandbox.rest.table import Table

table = Table()

_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = _MESSAGES + "/{message_id}"


@table.route("POST", _MESSAGES, bucket="messages")
async def send_message(call: Call) -> Any:
    """JSON, or multipart with ``payload_json`` and ``files[n]``; gives the message."""
    channel = call.channel()
    body, files = await call.body_with_files()
    # ephemeral messages come from interactions only
    body["flags"] = _without_ephemeral(body.get("flags"))
    message = messages.send(call.world, call.user, channel, drafts.read(body, files))
    return message_payloads.message(call.world, message, call.user)


def _without_ephemeral(flags: Any) -> Any:
    return flags & ~MessageFlag.EPHEMERAL if isinstance(flags, int) else flags


@table.route("GET", _MESSAGES, bucket="history")
async def list_messages(call: Call) -> Any:
    """Takes ``before``, ``after`` or ``around``, and ``limit`` 1 to 100; newest first."""
    channel, query = call.channel(), call.query()
    limit = query.integer("limit", least=1, most=100, default=50)
    borders = {key: query.snowflake(key) for key in ("before", "after", "around")}
    query.problems.check()
    found = messages.history(call.world, call.user, channel, limit=limit, **borders)
    return [message_payloads.message(call.world, m, call.user) for m in found]


@table.route("GET", _MESSAGE, bucket="history")
async def get_message(call: Call) -> Any:
    channel = call.channel(Permission.READ_MESSAGE_HISTORY)
    return message_payloads.message(call.world, call.message(channel), call.user)


@table.route("PATCH", _MESSAGE, bucket="edits")
async def edit_message(call: Call) -> Any:
    """One's own message only."""
    channel = call.channel()
    message = call.message(channel)
    if message.author is not call.user:
        raise refusal(50005)
    body, files = await call.body_with_files()
    message_edits.apply(call.world, channel, message, message_edits.read(message, body, files))
    return message_payloads.message(call.world, message, call.user)


@table.route("DELETE", _MESSAGE, bucket="deletes")
async def delete_message(call: Call) -> Any:
    channel = call.channel()
    message = call.message(channel)
    if not messages.deletable_by(call.world, call.user, channel, message):
        raise refusal(50003 if channel.is_dm else 50013)
    messages.delete(call.world, channel, message)


@table.route("POST", _MESSAGES + "/bulk-delete", bucket="bulk_deletes")
async def delete_messages(call: Call) -> Any:
    channel = call.channel(Permission.MANAGE_MESSAGES)
    problems = Problems()
    found = Form(await call.body(), problems).snowflakes("messages")
    problems.check()
    messages.delete_many(call.world, channel, list(dict.fromkeys(found)))


@table.route("POST", "/channels/{channel_id}/typing", bucket="typing")
async def start_typing(call: Call) -> Any:
    channel, world, user = call.channel(), call.world, call.user
    send = Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES
    if send not in world.permissions(user, channel) and not channel.is_dm:
        raise refusal(50013)
    told = {
        **message_payloads.placed(world, channel.id),
        "user_id": str(user.id),
        "timestamp": int(world.clock().timestamp()),
    }
    if not channel.is_dm:
        told["member"] = world.member_payload(user)
    world.publish(
        Event(
            name="TYPING_START",
            payload=lambda _: told,
            channel_id=channel.id,
            to=channel.audience,
            intent=Intent.DIRECT_MESSAGE_TYPING if channel.is_dm else Intent.GUILD_MESSAGE_TYPING,
        )
    )
