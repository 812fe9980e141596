"""Application commands as bots register them (Discord's documentation, "Application Commands")."""

from __future__ import annotations

import unicodedata
from typing import Any

from bots.sandbox.errors import refusal
from bots.sandbox.events import Event
from bots.sandbox.forms import Form
from bots.sandbox.model import User
from bots.sandbox.permissions import Permission
from bots.sandbox.world import World

Command = dict[str, Any]

CHAT_INPUT, ON_USER, ON_MESSAGE = 1, 2, 3
SUBCOMMAND, SUBCOMMAND_GROUP = 1, 2
STRING, INTEGER, NUMBER = 3, 4, 10
#: option types that may carry choices or autocomplete
SUGGESTING = frozenset({STRING, INTEGER, NUMBER})
#: how many commands of each type an application may have, in a guild and globally
MOST = {CHAT_INPUT: 100, ON_USER: 15, ON_MESSAGE: 15}
MOST_CREATED_A_DAY = 200
_MOST_CHARACTERS = 8_000
_SIGNS = frozenset("-_'")


def read(form: Form) -> Command:
    """The command in `form`, without id; what is wrong is added to its problems."""
    form.require("name")
    kind = form.choice("type", (CHAT_INPUT, ON_USER, ON_MESSAGE), default=CHAT_INPUT)
    command: Command = {
        "type": kind,
        "name": _name(form, kind),
        "name_localizations": form.raw("name_localizations"),
        "description": "",
        "description_localizations": form.raw("description_localizations"),
        "default_member_permissions": _permissions(form),
        "dm_permission": form.flag("dm_permission", default=True),
        "contexts": form.raw("contexts"),
        "integration_types": form.raw("integration_types") or [0],
        "nsfw": form.flag("nsfw"),
    }
    if kind == CHAT_INPUT:
        command["description"] = _description(form)
        options = _options(form, depth=0)
        if options:
            command["options"] = options
        if _characters(command) > _MOST_CHARACTERS:
            message = f"Command exceeds maximum size ({_MOST_CHARACTERS})"
            form.wrong("", "APPLICATION_COMMAND_TOO_LARGE", message)
    return command


def _name(form: Form, kind: int) -> str:
    name = form.text("name", least=1, most=32)
    if kind == CHAT_INPUT and not is_command_name(name):
        form.wrong("name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    return name


def is_command_name(name: str) -> bool:
    """Letters, digits, ``-``, ``_`` and ``'``; lower case where there is one."""
    fits = all(c in _SIGNS or unicodedata.category(c)[0] in "LNM" for c in name)
    return bool(name) and fits and name == name.lower()


def _description(form: Form) -> str:
    form.require("description")
    return form.text("description", least=1, most=100)


def _permissions(form: Form) -> str | None:
    if not form.given("default_member_permissions"):
        return None
    return str(form.integer("default_member_permissions", least=0))


def _options(form: Form, *, depth: int) -> list[dict[str, Any]]:
    shown, names, optional_seen = [], set(), False
    for part in form.forms("options", most=25):
        option = _option(part, depth=depth)
        if option["name"] in names:
            message = "Option names must be unique"
            part.wrong("name", "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", message)
        names.add(option["name"])
        required = option.get("required", False)
        if required and optional_seen:
            message = "Required options must be placed before non-required options"
            part.wrong("", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message)
        optional_seen = optional_seen or not required
        shown.append(option)
    kinds = {o["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP) for o in shown}
    if len(kinds) > 1:
        message = "Sub-command and sub-command group option types are mutually exclusive"
        form.wrong("options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message)
    return shown


def _option(form: Form, *, depth: int) -> dict[str, Any]:
    form.require("type", "name")
    # groups hold subcommands, subcommands hold values
    allowed = range(1 + depth, 12) if depth else range(1, 12)
    kind = form.choice("type", allowed if depth < 2 else range(3, 12), default=STRING)
    option: dict[str, Any] = {
        "type": kind,
        "name": _name(form, CHAT_INPUT),
        "description": _description(form),
    }
    for key in ("name_localizations", "description_localizations"):
        if form.given(key):
            option[key] = form.raw(key)
    if kind in (SUBCOMMAND, SUBCOMMAND_GROUP):
        inner = _options(form, depth=depth + 1 if kind == SUBCOMMAND_GROUP else 2)
        return option | {"options": inner} if inner or kind == SUBCOMMAND_GROUP else option
    if form.flag("required"):
        option["required"] = True
    for key in ("channel_types", "min_value", "max_value", "min_length", "max_length"):
        if form.given(key):
            option[key] = form.raw(key)
    choices = [_choice(f, kind) for f in form.forms("choices", most=25)]
    if choices:
        option["choices"] = choices
    if form.flag("autocomplete"):
        option["autocomplete"] = True
        if choices or kind not in SUGGESTING:
            message = "Autocomplete options cannot have choices and must be text or number"
            form.wrong("", "APPLICATION_COMMAND_AUTOCOMPLETE_INVALID", message)
    return option


def _choice(form: Form, kind: int) -> dict[str, Any]:
    form.require("name", "value")
    value = form.raw("value")
    if kind == STRING:
        value = form.text("value", most=100)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        form.wrong("value", "NUMBER_TYPE_COERCE", f'Value "{value}" is not a number.')
    return {
        "name": form.text("name", least=1, most=100),
        "name_localizations": form.raw("name_localizations"),
        "value": value,
    }


def _characters(node: dict[str, Any]) -> int:
    """Names, descriptions and values together, as the size limit counts them."""
    own = sum(len(str(node.get(key, ""))) for key in ("name", "description", "value"))
    below = [*node.get("options", ()), *node.get("choices", ())]
    return own + sum(_characters(part) for part in below)


def _same(old: Command, new: Command) -> bool:
    return all(old.get(k) == new.get(k) for k in {*old, *new} - {"id", "version"} - _OWN)


#: what the store adds to a command
_OWN = {"application_id", "guild_id"}


def put(
    world: World, application: User, guild_id: int | None, new: Command
) -> tuple[Command, bool]:
    """Register `new`, or replace the command of its type and name; an equal one stays as it is.

    Gives the command and whether it was created.

    :raises ApiError: 30032 past the most of its type, 30034 past 200 creations a day
    """
    scope = world.commands.setdefault((application.id, guild_id), {})
    for command_id, old in scope.items():
        if (old["type"], old["name"]) == (new["type"], new["name"]):
            if not _same(old, new):
                scope[command_id] = _stored(world, application, guild_id, new, command_id)
                _tell(world)
            return scope[command_id], False
    if sum(c["type"] == new["type"] for c in scope.values()) >= MOST[new["type"]]:
        raise refusal(30032)
    _count_creation(world, application)
    command_id = world.snowflakes.next()
    scope[command_id] = _stored(world, application, guild_id, new, command_id)
    _tell(world)
    return scope[command_id], True


def _stored(
    world: World, application: User, guild_id: int | None, new: Command, command_id: int
) -> Command:
    own: Command = {
        "id": str(command_id),
        "application_id": str(application.id),
        "version": str(world.snowflakes.next()),
    }
    if guild_id is not None:
        own["guild_id"] = str(guild_id)
    return own | new


def _count_creation(world: World, application: User) -> None:
    today = world.clock().date()
    day, created = world.commands_created.get(application.id, (today, 0))
    if day != today:
        created = 0
    if created >= MOST_CREATED_A_DAY:
        raise refusal(30034)
    world.commands_created[application.id] = (today, created + 1)


def put_all(
    world: World, application: User, guild_id: int | None, new: list[Command]
) -> list[Command]:
    """Make `new` all that is registered; ids and versions of equal commands stay."""
    for kind, most in MOST.items():
        if sum(c["type"] == kind for c in new) > most:
            raise refusal(30032)
    scope = world.commands.setdefault((application.id, guild_id), {})
    wanted = {(c["type"], c["name"]) for c in new}
    for command_id, old in list(scope.items()):
        if (old["type"], old["name"]) not in wanted:
            del scope[command_id]
            _tell(world)
    return [put(world, application, guild_id, command)[0] for command in new]


def change(
    world: World, application: User, guild_id: int | None, old: Command, new: Command
) -> Command:
    """Replace `old` under its id."""
    scope = world.commands[(application.id, guild_id)]
    command_id = int(old["id"])
    if not _same(old, new):
        scope[command_id] = _stored(world, application, guild_id, new, command_id)
        _tell(world)
    return scope[command_id]


def delete(world: World, application: User, guild_id: int | None, command_id: int) -> None:
    del world.commands[(application.id, guild_id)][command_id]
    _tell(world)


def find(world: World, application_id: int, command_id: int) -> Command | None:
    """A command by id, of the guild or global."""
    for guild_id in (world.guild_id, None):
        command = world.commands.get((application_id, guild_id), {}).get(command_id)
        if command is not None:
            return command
    return None


def listed(world: World, guild_id: int | None) -> list[Command]:
    """Every application's commands of the guild, or its global ones."""
    return [
        command
        for (_, of), scope in world.commands.items()
        if of == guild_id
        for command in scope.values()
    ]


def usable(command: Command, held: int) -> bool:
    """Whether somebody with these permissions may use `command`."""
    needed = command["default_member_permissions"]
    if needed is None or held & Permission.ADMINISTRATOR:
        return True
    # "0" leaves it to administrators
    return needed != "0" and held & int(needed) == int(needed)


def _tell(world: World) -> None:
    """People's clients read the index again when they hear this."""
    people = frozenset(u.id for u in world.users.values() if not u.bot)
    told = {"guild_id": str(world.guild_id)}
    world.publish(
        Event(name="GUILD_APPLICATION_COMMAND_INDEX_UPDATE", payload=lambda _: told, to=people)
    )
