"""/interactions: people act, applications answer."""

from __future__ import annotations

from typing import Any

from bots.sandbox import callbacks, interaction_forms, interaction_payloads, interactions
from bots.sandbox.callbacks import CallbackType
from bots.sandbox.drafts import check_size
from bots.sandbox.errors import refusal
from bots.sandbox.forms import Form, Problems
from bots.sandbox.interactions import Interaction, InteractionType
from bots.sandbox.message_payloads import message as message_payload
from bots.sandbox.model import MessageFlag
from bots.sandbox.rest.call import Call, Reply
from bots.sandbox.rest.table import Table

table = Table()

_MESSAGES = (CallbackType.MESSAGE, CallbackType.DEFERRED_MESSAGE, CallbackType.UPDATE)


@table.route("POST", "/interactions")
async def act(call: Call) -> Any:
    """A person uses a command (2), a component (3), autocomplete (4) or a modal (5); 204."""
    world, user, problems = call.world, call.user, Problems()
    if user.bot:
        raise refusal(20001)
    body, files = await call.body_with_files()
    form = Form(body, problems)
    form.require("type", "application_id", "channel_id", "data")
    kind = InteractionType(form.choice("type", [2, 3, 4, 5], default=2))
    data = form.form("data") or Form({}, problems, "data")
    problems.check()
    check_size(files)
    scene = interaction_forms.scene(world, user, form)
    channel, message, name = scene.channel, None, None
    if kind == InteractionType.COMPONENT:
        shown, message = interaction_forms.component(world, scene, form, data)
    elif kind == InteractionType.MODAL_SUBMIT:
        shown, source = interaction_forms.modal(world, scene, data)
        channel, message = source.channel, source.message
    else:
        completing = kind == InteractionType.AUTOCOMPLETE
        shown, name = interaction_forms.command(world, scene, data, files, completing=completing)
    interaction = interactions.begin(
        world,
        kind,
        application=scene.application,
        user=user,
        channel=channel,
        data=shown,
        nonce=form.raw("nonce"),
        message=message,
        name=name,
    )
    interaction_payloads.dispatch(world, interaction)


@table.route(
    "POST",
    "/interactions/{interaction_id}/{token}/callback",
    bucket="callbacks",
    open=True,
    counts_globally=False,
)
async def answer(call: Call) -> Any:
    """The application's first answer; ``with_response`` gives what came of it."""
    world = call.world
    body, files = await call.body_with_files()
    interaction = interactions.to_answer(world, call.id("interaction_id"), call.text("token"))
    kind = callbacks.answer(world, interaction, body, files)
    if call.request.query.get("with_response", "").lower() in ("1", "true"):
        return Reply(200, _response(call, interaction, kind))
    return None


def _response(call: Call, interaction: Interaction, kind: CallbackType) -> dict[str, Any]:
    """Discord's documentation, "Interaction Callback Response Object"."""
    told: dict[str, Any] = {
        "id": str(interaction.id),
        "type": int(interaction.type),
        "channel_id": str(interaction.channel.id),
    }
    response: dict[str, Any] = {"interaction": told}
    original = interaction.original
    if original is not None:
        told |= {
            "response_message_id": str(original.id),
            "response_message_loading": bool(original.flags & MessageFlag.LOADING),
            "response_message_ephemeral": bool(original.flags & MessageFlag.EPHEMERAL),
        }
        if kind in _MESSAGES:
            shown = message_payload(call.world, original, interaction.application)
            response["resource"] = {"type": int(kind), "message": shown}
    return response
