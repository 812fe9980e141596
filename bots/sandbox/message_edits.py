"""Changing a message: checked first, carried out afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bots.sandbox import composing, drafts, messages
from bots.sandbox.drafts import Draft, File
from bots.sandbox.errors import refusal
from bots.sandbox.model import Channel, Message, MessageFlag
from bots.sandbox.world import World

#: what an edit cannot change
_FIXED = ("nonce", "enforce_nonce", "message_reference", "tts")


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What will become of a message."""

    #: the new values, of the fields that are `given`
    draft: Draft
    given: frozenset[str]
    #: ids of the attachments that stay
    kept: frozenset[int]


def read(message: Message, body: dict[str, Any], files: tuple[File, ...]) -> Edit:
    """The edit of `message` that the form `body` asks for.

    :raises ApiError: 50035 or 40005, or 50006 if nothing would be left
    """
    new = {key: value for key, value in body.items() if key not in _FIXED}
    kept = frozenset(a.id for a in message.attachments)
    rows = body.get("attachments")
    if isinstance(rows, list):
        new["attachments"] = [a for a in rows if _known(message, a) is None]
        kept &= {_known(message, a) for a in rows}
    layout = bool(message.flags & MessageFlag.IS_COMPONENTS_V2)
    draft = drafts.read(new, files, layout=layout, may_be_empty=True)
    left = {
        "content": draft.content.strip() if "content" in body else message.content,
        "embeds": draft.embeds if "embeds" in body else message.embeds,
        "components": draft.components if "components" in body else message.components,
    }
    if not (any(left.values()) or kept or draft.files):
        raise refusal(50006)
    return Edit(draft=draft, given=frozenset(body), kept=kept)


def _known(message: Message, row: Any) -> int | None:
    """The attachment of `message` that a row of ``attachments`` means."""
    wanted = str(row.get("id")) if isinstance(row, dict) else ""
    return next((a.id for a in message.attachments if str(a.id) == wanted), None)


def apply(world: World, channel: Channel, message: Message, edit: Edit) -> None:
    """Carry `edit` out and tell of it."""
    draft = edit.draft
    if "content" in edit.given:
        message.content = draft.content.strip()
        composing.call_out(world, channel, message, draft)
    if "embeds" in edit.given:
        message.embeds = draft.embeds
    if "components" in edit.given:
        message.components = draft.components
    if "flags" in edit.given:
        suppressed = draft.flags & MessageFlag.SUPPRESS_EMBEDS
        message.flags = message.flags & ~MessageFlag.SUPPRESS_EMBEDS | suppressed
    for gone in [a for a in message.attachments if a.id not in edit.kept]:
        message.attachments.remove(gone)
        del world.attachments[gone.id]
    message.attachments += composing.attach(world, channel.id, draft.files)
    if message.flags & MessageFlag.LOADING:
        # "is thinking" becomes the message that it stood for
        message.flags &= ~MessageFlag.LOADING
    else:
        message.edited_at = world.clock()
    messages.updated(world, channel, message)
