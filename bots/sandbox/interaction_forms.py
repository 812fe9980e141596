"""What a person's client posts to /interactions, checked and made into an interaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bots.sandbox import commands, components, composing, interaction_options, interaction_payloads
from bots.sandbox.components import SELECTS, ComponentType
from bots.sandbox.drafts import File
from bots.sandbox.errors import refusal
from bots.sandbox.forms import Form
from bots.sandbox.interactions import Interaction
from bots.sandbox.model import Attachment, Channel, Message, User
from bots.sandbox.permissions import Permission
from bots.sandbox.world import World

_INVALID = ("COMPONENT_VALIDATION_FAILED", "Component validation failed")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Who acts where, and on whose application."""

    user: User
    channel: Channel
    application: User


def scene(world: World, user: User, form: Form) -> Scene:
    """What ``application_id`` and ``channel_id`` of `form` name.

    :raises ApiError: 10002 for no such application, 10003 for no such channel, 50001 for one
        that the person does not see
    """
    application = world.users.get(form.snowflake("application_id") or 0)
    if application is None or not application.bot:
        raise refusal(10002)
    channel = world.channels.get(form.snowflake("channel_id") or 0)
    if channel is None:
        raise refusal(10003)
    if not world.can_view(user, channel.id):
        raise refusal(50001)
    return Scene(user=user, channel=channel, application=application)


def command(
    world: World, scene: Scene, data: Form, files: tuple[File, ...], *, completing: bool
) -> tuple[dict[str, Any], str]:
    """The ``data`` of a slash command for its application, and the command's name.

    :raises ApiError: 10063 for an unknown command, 50013 for one that the person may not use,
        50035 for wrong options
    """
    user, channel = scene.user, scene.channel
    found = commands.find(world, scene.application.id, data.snowflake("id") or 0)
    if found is None or (channel.is_dm and "guild_id" in found):
        raise refusal(10063)
    held = world.permissions(user, channel)
    if Permission.USE_APPLICATION_COMMANDS not in held or not commands.usable(found, int(held)):
        raise refusal(50013)
    given = interaction_options.read(world, user, found, data, completing=completing)
    if any(number >= len(files) for number in given.files):
        data.wrong("attachments", "BASE_TYPE_REQUIRED", "This field is required")
    data.problems.check()
    shown: dict[str, Any] = {
        "id": found["id"],
        "name": found["name"],
        "type": found["type"],
        "options": given.options,
    }
    if "guild_id" in found:
        shown["guild_id"] = found["guild_id"]
    attached = _attach(world, channel, shown["options"], [files[n] for n in given.files])
    named = interaction_payloads.resolved(world, user, given.ids, attached)
    return (shown | {"resolved": named} if named else shown), found["name"]


def _attach(
    world: World, channel: Channel, options: list[dict[str, Any]], files: list[File]
) -> list[Attachment]:
    """Keep the files of a command, and put their ids in place of their indexes."""
    holders = [o for o in _flat(options) if o["type"] == interaction_options.ATTACHMENT]
    made = composing.attach(world, channel.id, files)
    for holder, attachment in zip(holders, made, strict=True):
        holder["value"] = str(attachment.id)
    return made


def _flat(options: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [leaf for o in options for leaf in (_flat(o["options"]) if "options" in o else [o])]


def component(world: World, scene: Scene, form: Form, data: Form) -> tuple[dict[str, Any], Message]:
    """The ``data`` of a used button or select, and its message.

    :raises ApiError: 10008 for a message that the person does not see, 50035 for a component
        that the message does not have, a disabled one, or values that it does not offer
    """
    user = scene.user
    message = scene.channel.messages.get(form.snowflake("message_id") or 0)
    if message is None or message.only_for not in (None, user.id):
        raise refusal(10008)
    custom_id = data.text("custom_id", least=1, most=100)
    kind = data.integer("component_type")
    found = components.by_custom_id(message.components, custom_id)
    if found is None or found["type"] != kind or message.author is not scene.application:
        data.wrong("custom_id", *_INVALID)
        data.problems.check()
    assert found is not None
    shown: dict[str, Any] = {
        "custom_id": custom_id,
        "component_type": kind,
        "id": found.get("id", 0),
    }
    if kind in SELECTS:
        values = [str(v) for v in data.items("values", most=25)]
        _check_values(found, values, data)
        shown["values"] = values
        if kind != ComponentType.STRING_SELECT:
            ids = [int(v) for v in values if v.isdigit()]
            shown["resolved"] = interaction_payloads.resolved(world, user, ids)
            if sum(map(len, shown["resolved"].values())) < len(values):
                data.wrong("values", *_INVALID)
    data.problems.check()
    return shown, message


def _check_values(select: dict[str, Any], values: list[str], data: Form) -> None:
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    offered = {o["value"] for o in select.get("options", ())}
    wrong = select["type"] == ComponentType.STRING_SELECT and not set(values) <= offered
    if wrong or not least <= len(values) <= most or len(set(values)) != len(values):
        data.wrong("values", *_INVALID)


def modal(world: World, scene: Scene, data: Form) -> tuple[dict[str, Any], Interaction]:
    """The ``data`` of a submitted modal, and the interaction that it had answered.

    The modal is taken: it can be submitted once.

    :raises ApiError: 50035 for a modal that nobody showed to this person, or wrong fields
    """
    wanted = data.snowflake("id")
    custom_id = data.text("custom_id", least=1, most=100)
    shown_ones = [
        i
        for i in world.interactions.values()
        if i.modal is not None
        and i.modal["custom_id"] == custom_id
        and (i.user, i.application) == (scene.user, scene.application)
        and wanted in (None, i.id)
    ]
    if not shown_ones:
        data.wrong("custom_id", *_INVALID)
        data.problems.check()
    source = shown_ones[-1]
    assert source.modal is not None
    given = {c.get("custom_id"): c for c in components.each(_listed(data.raw("components")))}
    filled = [_filled(c, given, data) for c in source.modal["components"]]
    data.problems.check()
    source.modal = None
    return {"custom_id": custom_id, "components": filled}, source


def _listed(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _filled(
    defined: dict[str, Any], given: dict[Any, dict[str, Any]], data: Form
) -> dict[str, Any]:
    """A modal's component with what the person wrote in it."""
    kind = defined["type"]
    shown: dict[str, Any] = {"type": kind, "id": defined.get("id", 0)}
    if "components" in defined:
        return shown | {"components": [_filled(c, given, data) for c in defined["components"]]}
    if "component" in defined:
        return shown | {"component": _filled(defined["component"], given, data)}
    if "custom_id" not in defined:
        return shown
    custom_id = defined["custom_id"]
    shown["custom_id"] = custom_id
    entry = Form(given.get(custom_id, {}), data.problems, f"{data.path('components')}.{custom_id}")
    if kind in SELECTS:
        shown["values"] = [str(v) for v in entry.items("values", most=25)]
        return shown
    required = defined.get("required", True)
    if required and not entry.raw("value"):
        entry.wrong("value", "BASE_TYPE_REQUIRED", "This field is required")
        return shown | {"value": ""}
    least = defined.get("min_length", 0) if entry.raw("value") else 0
    return shown | {
        "value": entry.text("value", least=least, most=defined.get("max_length", 4_000))
    }
