"""Checks the options that a person gives a slash command against its definition."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bots.sandbox.commands import INTEGER, NUMBER, STRING, SUBCOMMAND, SUBCOMMAND_GROUP
from bots.sandbox.forms import Form, snowflake
from bots.sandbox.model import User
from bots.sandbox.world import World

BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, ATTACHMENT = 5, 6, 7, 8, 9, 11
_LONGEST_STRING = 6_000
#: what JSON numbers hold exactly
_LARGEST = 2**53


@dataclass(kw_only=True)
class Given:
    """What was given: the options as the application gets them, and the ids that they name."""

    options: list[dict[str, Any]] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    #: indexes of the uploaded files
    files: list[int] = field(default_factory=list)


def read(
    world: World, user: User, definition: dict[str, Any], form: Form, *, completing: bool
) -> Given:
    """The options in `form` (a command's ``data``); problems go to the form.

    `completing`: this asks for autocomplete, so nothing need be there or right yet.
    """
    given = Given()
    given.options = _level(world, user, definition, form, given, completing=completing)
    return given


def _level(
    world: World,
    user: User,
    definition: dict[str, Any],
    form: Form,
    given: Given,
    *,
    completing: bool,
) -> list[dict[str, Any]]:
    defined = {o["name"]: o for o in definition.get("options", ())}
    shown, seen = [], set()
    for part in form.forms("options", most=25):
        option = defined.get(str(part.raw("name")))
        if option is None or option["name"] in seen:
            message = "Unknown or repeated option"
            part.wrong("name", "APPLICATION_COMMAND_OPTION_INVALID", message)
            continue
        seen.add(option["name"])
        own = {"name": option["name"], "type": option["type"]}
        if option["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP):
            below = _level(world, user, option, part, given, completing=completing)
            shown.append(own | {"options": below})
        elif completing:
            focus = {"focused": True} if part.flag("focused") else {}
            shown.append(own | {"value": part.raw("value")} | focus)
        else:
            shown.append(own | {"value": _value(world, user, option, part, given)})
    nested = any(o["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP) for o in defined.values())
    missing = nested and len(shown) != 1
    missing = missing or any(o.get("required") and n not in seen for n, o in defined.items())
    if missing and not completing:
        form.wrong("options", "BASE_TYPE_REQUIRED", "This field is required")
    return shown


def _value(world: World, user: User, option: dict[str, Any], form: Form, given: Given) -> Any:
    """The value of one option, by its type."""
    form.require("value")
    value, kind = form.raw("value"), option["type"]
    if kind == STRING:
        longest = option.get("max_length", _LONGEST_STRING)
        value = form.text("value", least=option.get("min_length", 0), most=longest)
    elif kind == INTEGER:
        least, most = option.get("min_value", -_LARGEST), option.get("max_value", _LARGEST)
        value = form.integer("value", least=least, most=most)
    elif kind == NUMBER:
        value = _number(option, form)
    elif kind == BOOLEAN:
        value = form.flag("value")
    elif kind == ATTACHMENT:
        given.files.append(form.integer("value", least=0))
        value = str(value)
    else:
        value = _named(world, user, kind, form, given)
    choices = [c["value"] for c in option.get("choices", ())]
    if choices and value not in choices:
        message = "Value is not one of the command's choices"
        form.wrong("value", "APPLICATION_COMMAND_OPTION_CHOICE_INVALID", message)
    return value


def _number(option: dict[str, Any], form: Form) -> float | None:
    value = form.raw("value")
    if isinstance(value, bool) or not isinstance(value, int | float):
        form.wrong("value", "NUMBER_TYPE_COERCE", f'Value "{value}" is not float.')
        return None
    if value < option.get("min_value", value) or value > option.get("max_value", value):
        form.wrong("value", "NUMBER_TYPE_RANGE", "float value is out of its range.")
    return value


def _named(world: World, user: User, kind: int, form: Form, given: Given) -> str:
    """The id of somebody or something that exists and that `user` may see."""
    found = snowflake(form.raw("value")) or 0
    exists = {
        USER: found in world.users,
        ROLE: found in world.roles,
        MENTIONABLE: found in world.users or found in world.roles,
        CHANNEL: found in world.channels and world.can_view(user, found),
    }
    if not exists.get(kind, False):
        form.wrong("value", "NUMBER_TYPE_COERCE", f'Value "{found}" names nothing here.')
    given.ids.append(found)
    return str(found)
