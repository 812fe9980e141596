"""channels/{id}/messages: sending, reading, changing and deleting."""

from __future__ import annotations

from typing import Any

from bots.sandbox import drafts, message_payloads, messages
from bots.sandbox.drafts import File
from bots.sandbox.errors import refusal
from bots.sandbox.events import Event, Intent
from bots.sandbox.forms import Form, Problems
from bots.sandbox.model import Channel, Message, MessageFlag
from bots.sandbox.permissions import Permission
from bots.sandbox.rest.call import Call
from bots.sandbox.rest.table import Table

table = Table()

_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = _MESSAGES + "/{message_id}"
#: what an edit cannot change
_FIXED = ("nonce", "enforce_nonce", "message_reference", "tts")


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
    return flags & ~64 if isinstance(flags, int) else flags


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
    apply_edit(call, channel, message, body, files)
    return message_payloads.message(call.world, message, call.user)


def apply_edit(
    call: Call, channel: Channel, message: Message, body: dict[str, Any], files: tuple[File, ...]
) -> None:
    """Change `message` as a form says; fields that it does not name stay.

    :raises ApiError: 50035, 40005, or 50006 if nothing would be left
    """
    old = {str(a.id): a.id for a in message.attachments}
    new = {key: value for key, value in body.items() if key not in _FIXED}
    if isinstance(body.get("attachments"), list):
        named = [str(a.get("id")) for a in body["attachments"] if isinstance(a, dict)]
        new["attachments"] = [
            a for a in body["attachments"] if not isinstance(a, dict) or str(a.get("id")) not in old
        ]
        kept = {old[n] for n in named if n in old}
    else:
        kept = set(old.values())
    layout = bool(message.flags & MessageFlag.IS_COMPONENTS_V2)
    draft = drafts.read(new, files, layout=layout, may_be_empty=True)
    messages.edit(call.world, channel, message, draft, given=set(body), kept=kept)


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
            to=frozenset(u.id for u in channel.recipients) if channel.is_dm else None,
            intent=Intent.DIRECT_MESSAGE_TYPING if channel.is_dm else Intent.GUILD_MESSAGE_TYPING,
        )
    )
