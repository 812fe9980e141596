"""From a draft to a message: whom it calls, what it answers, which files it carries."""

from __future__ import annotations

from collections.abc import Iterable

from bots.sandbox import message_payloads
from bots.sandbox.drafts import Draft, File, Reference
from bots.sandbox.errors import invalid_form
from bots.sandbox.mentions import called
from bots.sandbox.model import Attachment, Channel, Message, MessageFlag, MessageType, User
from bots.sandbox.permissions import Permission
from bots.sandbox.world import World


def compose(world: World, author: User, channel: Channel, draft: Draft) -> Message:
    """The message that `draft` becomes in `channel`, not yet in it."""
    message = Message(
        id=world.snowflakes.next(),
        channel_id=channel.id,
        author=author,
        content=draft.content.strip(),
        created_at=world.clock(),
        flags=draft.flags & ~MessageFlag.EPHEMERAL,
        tts=draft.tts,
        embeds=draft.embeds,
        components=draft.components,
        nonce=draft.nonce,
    )
    message.attachments = attach(world, channel.id, draft.files)
    if draft.components and author.bot:
        message.application_id = author.id
    if draft.reference:
        _refer(world, channel, message, draft.reference)
    call_out(world, channel, message, draft)
    return message


def _refer(world: World, channel: Channel, message: Message, reference: Reference) -> None:
    referenced = channel.messages.get(reference.message_id)
    if referenced is None or referenced.only_for is not None:
        if reference.must_exist:
            problem = {"code": "REPLIES_UNKNOWN_MESSAGE", "message": "Unknown message"}
            raise invalid_form({"message_reference": {"_errors": [problem]}})
        return
    message.type = MessageType.REPLY
    message.referenced = referenced
    message.reference = message_payloads.reference(world, referenced)


def call_out(world: World, channel: Channel, message: Message, draft: Draft) -> None:
    """Work out whom `message` calls; a reply calls the answered author unless told not to."""
    named = called(message.content, draft.allowed)
    everyone_too = Permission.MENTION_EVERYONE in world.permissions(message.author, channel)
    message.mentions = [world.users[u] for u in named.users if u in world.users]
    message.mention_everyone = named.everyone and everyone_too
    message.mention_roles = [r for r in named.roles if r in world.roles and everyone_too]
    replied = message.referenced
    if replied and draft.allowed.replied_user and replied.author not in message.mentions:
        message.mentions.append(replied.author)


def attach(world: World, channel_id: int, files: Iterable[File]) -> list[Attachment]:
    """Keep `files`, which came to this channel with a message or a command."""
    made = [
        Attachment(
            id=world.snowflakes.next(),
            channel_id=channel_id,
            filename=file.filename,
            data=file.data,
            content_type=file.content_type,
            description=file.description,
        )
        for file in files
    ]
    world.attachments |= {a.id: a for a in made}
    return made
