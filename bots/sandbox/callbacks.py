"""An application's answers to an interaction: the callback first, follow-ups after it."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from bots.sandbox import (
    components,
    composing,
    drafts,
    interaction_payloads,
    message_edits,
    message_payloads,
    messages,
)
from bots.sandbox.drafts import Draft, File
from bots.sandbox.forms import Form, Problems
from bots.sandbox.interactions import Interaction, InteractionType, acknowledge, tell_user
from bots.sandbox.model import Message, MessageFlag, MessageType
from bots.sandbox.world import World

MOST_CHOICES = 25


class CallbackType(IntEnum):
    """How an application can answer."""

    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


T = CallbackType
_ALLOWED = {
    InteractionType.COMMAND: (T.MESSAGE, T.DEFERRED_MESSAGE, T.MODAL),
    InteractionType.COMPONENT: (
        T.MESSAGE,
        T.DEFERRED_MESSAGE,
        T.DEFERRED_UPDATE,
        T.UPDATE,
        T.MODAL,
    ),
    InteractionType.AUTOCOMPLETE: (T.CHOICES,),
    InteractionType.MODAL_SUBMIT: (
        T.MESSAGE,
        T.DEFERRED_MESSAGE,
        T.DEFERRED_UPDATE,
        T.UPDATE,
    ),
}


def answer(
    world: World, interaction: Interaction, body: dict[str, Any], files: tuple[File, ...]
) -> CallbackType:
    """Carry out the callback in `body`; gives its type.

    :raises ApiError: 50035 for a wrong callback; the interaction then still waits
    """
    problems = Problems()
    form = Form(body, problems)
    form.require("type")
    allowed = list(_ALLOWED[interaction.type])
    if interaction.message is None:
        allowed = [t for t in allowed if t not in (T.UPDATE, T.DEFERRED_UPDATE)]
    kind = CallbackType(form.choice("type", [int(t) for t in allowed], default=allowed[0]))
    data = form.form("data") or Form({}, problems, "data")
    problems.check()
    given = body.get("data") or {}
    match kind:
        case CallbackType.MESSAGE:
            draft = drafts.read(given, files, at="data")
            acknowledge(world, interaction)
            interaction.original = post(world, interaction, draft, ephemeral=draft.ephemeral)
        case CallbackType.DEFERRED_MESSAGE:
            acknowledge(world, interaction)
            ephemeral = bool(data.integer("flags") & MessageFlag.EPHEMERAL)
            loading = Draft(flags=int(MessageFlag.LOADING))
            interaction.original = post(world, interaction, loading, ephemeral=ephemeral)
        case CallbackType.DEFERRED_UPDATE:
            acknowledge(world, interaction)
            _adopt(interaction)
        case CallbackType.UPDATE:
            assert interaction.message is not None
            edit = message_edits.read(interaction.message, given, files)
            acknowledge(world, interaction)
            _adopt(interaction)
            message_edits.apply(world, interaction.channel, interaction.message, edit)
        case CallbackType.CHOICES:
            _complete(world, interaction, data)
        case CallbackType.MODAL:
            _show_modal(world, interaction, data)
    return kind


def _adopt(interaction: Interaction) -> None:
    """The message that was acted on is ``@original`` from now on."""
    assert interaction.message is not None
    interaction.original = interaction.message
    interaction.message_ids.add(interaction.message.id)


def post(
    world: World,
    interaction: Interaction,
    draft: Draft,
    *,
    ephemeral: bool,
    answers: Message | None = None,
) -> Message:
    """Put a message of the application where the interaction was; `answers`: what it follows."""
    channel = interaction.channel
    message = composing.compose(world, interaction.application, channel, draft)
    message.application_id = interaction.application.id
    message.interaction = interaction_payloads.metadata(world, interaction)
    answers = answers or interaction.message
    if answers is not None:
        message.type = MessageType.REPLY
        message.referenced = answers
        message.reference = message_payloads.reference(world, answers)
    elif interaction.type == InteractionType.COMMAND:
        message.type = MessageType.CHAT_INPUT_COMMAND
    if ephemeral:
        message.flags |= MessageFlag.EPHEMERAL
        message.only_for = interaction.user.id
    interaction.message_ids.add(message.id)
    messages.put(world, channel, message)
    return message


def follow_up(
    world: World, interaction: Interaction, body: dict[str, Any], files: tuple[File, ...]
) -> Message:
    """Send one more message; the first one takes the place of "is thinking"."""
    original = interaction.original
    if original is not None and original.flags & MessageFlag.LOADING:
        edit = message_edits.read(original, body, files)
        message_edits.apply(world, interaction.channel, original, edit)
        return original
    draft = drafts.read(body, files)
    return post(world, interaction, draft, ephemeral=draft.ephemeral, answers=original)


def _complete(world: World, interaction: Interaction, data: Form) -> None:
    choices = []
    for form in data.forms("choices", most=MOST_CHOICES):
        form.require("name", "value")
        name = form.text("name", least=1, most=100)
        value = form.raw("value")
        if isinstance(value, str):
            form.text("value", most=100)
        choices.append({"name": name, "value": value})
    data.problems.check()
    acknowledge(world, interaction)
    told = {"choices": choices}
    tell_user(world, interaction, "APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE", told)


def _show_modal(world: World, interaction: Interaction, data: Form) -> None:
    data.require("custom_id", "title", "components")
    modal = {
        "custom_id": data.text("custom_id", least=1, most=100),
        "title": data.text("title", least=1, most=45),
        "components": components.of_modal(data),
    }
    data.problems.check()
    interaction.modal = modal
    acknowledge(world, interaction)
    application = interaction.application
    told = modal | {
        "channel_id": str(interaction.channel.id),
        "application": {"id": str(application.id), "name": application.name},
    }
    tell_user(world, interaction, "INTERACTION_MODAL_CREATE", told)
