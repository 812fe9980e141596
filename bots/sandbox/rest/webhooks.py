"""webhooks/{application}/{token}: follow-ups to an interaction, for 15 minutes."""

from __future__ import annotations

from typing import Any

from bots.sandbox import callbacks, interactions, message_edits, messages
from bots.sandbox.errors import refusal
from bots.sandbox.interactions import Interaction
from bots.sandbox.message_payloads import message as message_payload
from bots.sandbox.model import Message
from bots.sandbox.rest.call import Call
from bots.sandbox.rest.table import Table

table = Table()

_WEBHOOK = "/webhooks/{application_id}/{token}"
_MESSAGE = _WEBHOOK + "/messages/{message_id}"


def _interaction(call: Call) -> Interaction:
    return interactions.by_token(call.world, call.id("application_id"), call.text("token"))


def _message(call: Call, interaction: Interaction) -> Message:
    """A message of this token; ``@original`` is the first answer.

    :raises ApiError: 10008
    """
    if call.text("message_id") == "@original":
        message_id = interaction.original.id if interaction.original else 0
    else:
        message_id = call.id("message_id")
    message = interaction.channel.messages.get(message_id)
    if message is None or message_id not in interaction.message_ids:
        raise refusal(10008)
    return message


def _shown(call: Call, interaction: Interaction, message: Message) -> dict[str, Any]:
    return message_payload(call.world, message, interaction.application)


@table.route("POST", _WEBHOOK, bucket="webhooks", open=True, counts_globally=False)
async def follow_up(call: Call) -> Any:
    """Always gives the message, as if ``wait`` were set."""
    body, files = await call.body_with_files()
    interaction = _interaction(call)
    message = callbacks.follow_up(call.world, interaction, body, files)
    return _shown(call, interaction, message)


@table.route("GET", _MESSAGE, open=True, counts_globally=False)
async def get_message(call: Call) -> Any:
    interaction = _interaction(call)
    return _shown(call, interaction, _message(call, interaction))


@table.route("PATCH", _MESSAGE, bucket="webhooks", open=True, counts_globally=False)
async def edit_message(call: Call) -> Any:
    body, files = await call.body_with_files()
    interaction = _interaction(call)
    message = _message(call, interaction)
    edit = message_edits.read(message, body, files)
    message_edits.apply(call.world, interaction.channel, message, edit)
    return _shown(call, interaction, message)


@table.route("DELETE", _MESSAGE, bucket="webhooks", open=True, counts_globally=False)
async def delete_message(call: Call) -> Any:
    interaction = _interaction(call)
    messages.delete(call.world, interaction.channel, _message(call, interaction))
