"""Sending, deleting and reading messages, and telling of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bots.sandbox import composing, dms, message_payloads, threads
from bots.sandbox.drafts import Draft
from bots.sandbox.errors import refusal
from bots.sandbox.events import Event, Intent
from bots.sandbox.model import Channel, Message, MessageType, User
from bots.sandbox.permissions import Permission
from bots.sandbox.world import World

#: how long the same author's same nonce means the same message
NONCE_LASTS = timedelta(minutes=5)
#: bulk deletion refuses what is older (Discord's documentation, "Bulk Delete Messages")
BULK_AGE = timedelta(days=14)
#: messages kept a channel, so that a swarm left running does not fill the memory
MOST_KEPT = 20_000
_ORDINARY = (MessageType.DEFAULT, MessageType.REPLY, MessageType.CHAT_INPUT_COMMAND)


def require(world: World, author: User, channel: Channel, draft: Draft) -> None:
    """:raises ApiError: `author` may not send `draft` there"""
    if not channel.is_dm and not channel.is_thread and channel.type != 0:
        raise refusal(50008)
    held = world.permissions(author, channel)
    if Permission.VIEW_CHANNEL not in held:
        raise refusal(50001)
    in_thread = channel.is_thread
    send = Permission.SEND_MESSAGES_IN_THREADS if in_thread else Permission.SEND_MESSAGES
    if send not in held or (draft.files and Permission.ATTACH_FILES not in held):
        raise refusal(50013)
    if channel.is_thread and channel.locked and Permission.MANAGE_THREADS not in held:
        raise refusal(160005)
    if channel.is_dm and author.bot and all(u.bot for u in channel.recipients):
        raise refusal(50007)
    if draft.reference and Permission.READ_MESSAGE_HISTORY not in held:
        raise refusal(160002)


def send(world: World, author: User, channel: Channel, draft: Draft) -> Message:
    """Put `draft` into `channel`; the same nonce, enforced, gives the first message again.

    :raises ApiError: no permission, or the answered message does not exist
    """
    require(world, author, channel, draft)
    if draft.enforce_nonce and (known := _same_nonce(world, author, draft)):
        return known
    message = composing.compose(world, author, channel, draft)
    put(world, channel, message)
    if draft.nonce is not None:
        world.nonces[author.id, draft.nonce] = message
    return message


def _same_nonce(world: World, author: User, draft: Draft) -> Message | None:
    """What `author` sent under the draft's nonce a moment ago."""
    oldest = world.clock() - NONCE_LASTS
    while world.nonces:
        first = next(iter(world.nonces))
        if world.nonces[first].created_at >= oldest:
            break
        del world.nonces[first]
    return None if draft.nonce is None else world.nonces.get((author.id, draft.nonce))


def audience(channel: Channel, message: Message) -> frozenset[int] | None:
    """The only users who may hear of `message`; None: whoever sees the channel."""
    return channel.audience if message.only_for is None else frozenset({message.only_for})


def _event(world: World, name: str, channel: Channel, message: Message) -> Event:
    return Event(
        name=name,
        payload=lambda viewer: message_payloads.dispatched(world, message, viewer),
        channel_id=channel.id,
        to=audience(channel, message),
        intent=Intent.DIRECT_MESSAGES if channel.is_dm else Intent.GUILD_MESSAGES,
        message=message,
    )


def put(world: World, channel: Channel, message: Message) -> None:
    """`message` stands in `channel` from now on."""
    channel.messages[message.id] = message
    while len(channel.messages) > MOST_KEPT:
        _drop(world, channel, next(iter(channel.messages.values())))
    if message.only_for is None:
        channel.last_message_id = message.id
        if channel.is_thread and message.type != MessageType.THREAD_STARTER:
            channel.message_count += 1
            threads.spoken_in(world, channel)
            threads.join(world, channel, message.author)
            for user in message.mentions:
                threads.join(world, channel, user)
    if channel.is_dm:
        dms.show(world, channel)
    world.publish(_event(world, "MESSAGE_CREATE", channel, message))


def updated(world: World, channel: Channel, message: Message) -> None:
    world.publish(_event(world, "MESSAGE_UPDATE", channel, message))


def delete(world: World, channel: Channel, message: Message) -> None:
    _forget(world, channel, message)
    payload = message_payloads.deleted(world, message)
    world.publish(
        Event(
            name="MESSAGE_DELETE",
            payload=lambda _: payload,
            channel_id=channel.id,
            to=audience(channel, message),
            intent=Intent.DIRECT_MESSAGES if channel.is_dm else Intent.GUILD_MESSAGES,
        )
    )


def delete_many(world: World, channel: Channel, message_ids: Sequence[int]) -> None:
    """Delete 2 to 100 messages at once; unknown ids are passed over.

    :raises ApiError: 50016 for a wrong number, 50034 for messages older than 14 days
    """
    if not 2 <= len(message_ids) <= 100:
        raise refusal(50016)
    found = [channel.messages[m] for m in message_ids if m in channel.messages]
    if any(m.created_at < world.clock() - BULK_AGE for m in found):
        raise refusal(50034)
    for message in found:
        _forget(world, channel, message)
    payload = {
        "ids": [str(m.id) for m in found],
        **message_payloads.placed(world, channel.id),
    }
    world.publish(
        Event(
            name="MESSAGE_DELETE_BULK",
            payload=lambda _: payload,
            channel_id=channel.id,
            intent=Intent.GUILD_MESSAGES,
        )
    )


def _forget(world: World, channel: Channel, message: Message) -> None:
    _drop(world, channel, message)
    for other in channel.messages.values():
        if other.referenced is message:
            other.referenced = None


def _drop(world: World, channel: Channel, message: Message) -> None:
    del channel.messages[message.id]
    world.forget_files([message])


def history(
    world: World,
    viewer: User,
    channel: Channel,
    *,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
    limit: int = 50,
) -> list[Message]:
    """Messages that `viewer` may read, newest first; at most one of the three borders counts.

    Ephemeral ones are in nobody's history, as on Discord.
    """
    seen = [m for m in channel.messages.values() if m.only_for is None]
    if Permission.READ_MESSAGE_HISTORY not in world.permissions(viewer, channel):
        seen = []
    if around is not None:
        older = [m for m in seen if m.id < around][-(limit // 2) :] if limit > 1 else []
        newer = [m for m in seen if m.id >= around][: limit - len(older)]
        chosen = older + newer
    elif after is not None:
        chosen = [m for m in seen if m.id > after][:limit]
    elif before is not None:
        chosen = [m for m in seen if m.id < before][-limit:]
    else:
        chosen = seen[-limit:]
    return chosen[::-1]


def deletable_by(world: World, user: User, channel: Channel, message: Message) -> bool:
    """Whether `user` may delete `message`: its own, or by MANAGE_MESSAGES; ordinary ones only."""
    if message.type not in _ORDINARY and not channel.is_dm:
        return Permission.MANAGE_MESSAGES in world.permissions(user, channel)
    if message.author is user:
        return True
    return Permission.MANAGE_MESSAGES in world.permissions(user, channel)
