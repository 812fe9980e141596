"""applications/{id}/commands, for the guild and globally, and the index that people read."""

from __future__ import annotations

from typing import Any

from bots.sandbox import commands, payloads
from bots.sandbox.commands import Command
from bots.sandbox.errors import refusal
from bots.sandbox.forms import Form, Problems, snowflake
from bots.sandbox.rest.applications import own_application
from bots.sandbox.rest.call import Call, Reply
from bots.sandbox.rest.table import Table

table = Table()

_GLOBAL = "/applications/{application_id}/commands"
_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"
_ONE = "/{command_id}"


def _guild_id(call: Call) -> int | None:
    """The guild in the path; None for global commands.

    :raises ApiError: 50001 for a guild that the application is not in
    """
    if "guild_id" not in call.request.match_info:
        return None
    if call.id("guild_id") != call.world.guild_id:
        raise refusal(50001)
    return call.world.guild_id


def _scope(call: Call) -> dict[int, Command]:
    return call.world.commands.get((own_application(call).id, _guild_id(call)), {})


def _command(call: Call) -> Command:
    command = _scope(call).get(snowflake(call.text("command_id")) or 0)
    if command is None:
        raise refusal(10063)
    return command


@table.route("GET", _GUILD)
@table.route("GET", _GLOBAL)
async def list_commands(call: Call) -> Any:
    return list(_scope(call).values())


@table.route("POST", _GUILD, bucket="commands")
@table.route("POST", _GLOBAL, bucket="commands")
async def put_command(call: Call) -> Any:
    """201 for a new command, 200 for one that replaces its namesake."""
    application, problems = own_application(call), Problems()
    command = commands.read(Form(await call.body(), problems))
    problems.check()
    stored, created = commands.put(call.world, application, _guild_id(call), command)
    return Reply(201 if created else 200, stored)


@table.route("PUT", _GUILD, bucket="commands")
@table.route("PUT", _GLOBAL, bucket="commands")
async def put_commands(call: Call) -> Any:
    """Takes the list of all commands."""
    application, problems = own_application(call), Problems()
    rows = Form({"rows": await call.list_body()}, Problems()).items("rows", most=130)
    read, names = [], set()
    for number, row in enumerate(rows):
        form = Form(row if isinstance(row, dict) else {}, problems, str(number))
        command = commands.read(form)
        if (command["type"], command["name"]) in names:
            message = "Application command names must be unique"
            form.wrong("name", "APPLICATION_COMMANDS_DUPLICATE_NAME", message)
        names.add((command["type"], command["name"]))
        read.append(command)
    problems.check()
    return commands.put_all(call.world, application, _guild_id(call), read)


@table.route("GET", _GUILD + _ONE)
@table.route("GET", _GLOBAL + _ONE)
async def get_command(call: Call) -> Any:
    return _command(call)


@table.route("PATCH", _GUILD + _ONE, bucket="commands")
@table.route("PATCH", _GLOBAL + _ONE, bucket="commands")
async def change_command(call: Call) -> Any:
    old, problems = _command(call), Problems()
    new = commands.read(Form(old | await call.body() | {"type": old["type"]}, problems))
    problems.check()
    return commands.change(call.world, call.user, _guild_id(call), old, new)


@table.route("DELETE", _GUILD + _ONE, bucket="commands")
@table.route("DELETE", _GLOBAL + _ONE, bucket="commands")
async def delete_command(call: Call) -> Any:
    command = _command(call)
    commands.delete(call.world, call.user, _guild_id(call), int(command["id"]))


@table.route("GET", "/guilds/{guild_id}/application-command-index")
async def list_index(call: Call) -> Any:
    """Every application and every command that the person may use in the guild."""
    call.guild()
    world = call.world
    if call.user.bot:
        raise refusal(20001)
    held = int(world.guild_permissions(call.user))
    found = [
        command
        for guild_id in (world.guild_id, None)
        for command in commands.listed(world, guild_id)
        if commands.usable(command, held)
    ]
    owners = {int(command["application_id"]) for command in found}
    return {
        "applications": [
            {
                "id": str(bot.id),
                "name": bot.name,
                "description": bot.description,
                "icon": bot.avatar,
                "bot_id": str(bot.id),
                "bot": payloads.user(bot),
                "flags": 0,
            }
            for bot in world.users.values()
            if bot.id in owners
        ],
        "application_commands": found,
        "version": str(max((int(c["version"]) for c in found), default=0)),
    }
