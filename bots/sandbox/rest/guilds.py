"""guilds/{id}: the guild, its roles and its members."""

from __future__ import annotations

from typing import Any

from bots.sandbox import members, payloads
from bots.sandbox.errors import refusal
from bots.sandbox.forms import Form, Problems
from bots.sandbox.model import Role, User
from bots.sandbox.permissions import EVERYONE, Permission
from bots.sandbox.rest.call import Call
from bots.sandbox.rest.table import Table

table = Table()

_GUILD = "/guilds/{guild_id}"
_ROLES = _GUILD + "/roles"
_MEMBERS = _GUILD + "/members"


@table.route("GET", _GUILD)
async def get_guild(call: Call) -> Any:
    """Takes ``with_counts``."""
    call.guild()
    world = call.world
    counts = {
        "approximate_member_count": len(world.users),
        "approximate_presence_count": sum(u.status != "offline" for u in world.users.values()),
    }
    wanted = call.request.query.get("with_counts", "").lower() in ("true", "1")
    return payloads.guild(world) | (counts if wanted else {})


@table.route("GET", _ROLES)
async def list_roles(call: Call) -> Any:
    call.guild()
    return [payloads.role(r) for r in call.world.roles.values()]


def _read_role(form: Form, role: Role) -> None:
    role.name = form.text("name", most=100, default=role.name)
    role.color = form.integer("color", least=0, most=0xFFFFFF, default=role.color)
    role.hoist = form.flag("hoist", default=role.hoist)
    role.permissions = form.integer("permissions", least=0, default=role.permissions)


@table.route("POST", _ROLES)
async def create_role(call: Call) -> Any:
    call.guild(Permission.MANAGE_ROLES)
    problems = Problems()
    role = Role(id=call.world.snowflakes.next(), name="new role", permissions=int(EVERYONE))
    _read_role(Form(await call.body(), problems), role)
    problems.check()
    _require_held(call, role)
    role.position = 1
    members.add_role(call.world, role)
    return payloads.role(role)


def _require_held(call: Call, role: Role) -> None:
    held = call.world.guild_permissions(call.user)
    if role.permissions & ~int(held):
        raise refusal(50013)


@table.route("DELETE", _ROLES + "/{role_id}")
async def delete_role(call: Call) -> Any:
    call.guild(Permission.MANAGE_ROLES)
    role = _role(call)
    _require_held(call, role)
    if role.id == call.world.guild_id:
        raise refusal(50013)
    members.delete_role(call.world, role)


def _role(call: Call) -> Role:
    role = call.world.roles.get(call.id("role_id"))
    if role is None:
        raise refusal(10011)
    return role


@table.route("GET", _MEMBERS)
async def list_members(call: Call) -> Any:
    """Takes ``limit`` 1 to 1,000 and ``after``; bots need the members intent."""
    call.guild()
    if call.user.bot and "members" not in call.user.intents:
        raise refusal(50001)
    query = call.query()
    limit = query.integer("limit", least=1, most=1_000, default=1)
    after = query.snowflake("after") or 0
    query.problems.check()
    found = sorted((u for u in call.world.users.values() if u.id > after), key=lambda u: u.id)
    return [call.world.member_payload(u) for u in found[:limit]]


@table.route("GET", _MEMBERS + "/search")
async def search_members(call: Call) -> Any:
    """Takes ``query``, what a name or nickname begins with, and ``limit``."""
    call.guild()
    query = call.query()
    query.require("query")
    start = query.text("query", least=1, most=100).casefold()
    limit = query.integer("limit", least=1, most=1_000, default=1)
    query.problems.check()
    found = [
        u
        for u in call.world.users.values()
        if any(n and n.casefold().startswith(start) for n in (u.name, u.nick, u.global_name))
    ]
    return [call.world.member_payload(u) for u in found[:limit]]


def _member(call: Call) -> User:
    if call.text("user_id") == "@me":
        return call.user
    user = call.world.users.get(call.id("user_id"))
    if user is None:
        raise refusal(10007)
    return user


@table.route("GET", _MEMBERS + "/{user_id}")
async def get_member(call: Call) -> Any:
    call.guild()
    return call.world.member_payload(_member(call))


@table.route("PATCH", _MEMBERS + "/{user_id}")
async def change_member(call: Call) -> Any:
    """Takes ``nick``, and ``roles`` of others or oneself."""
    call.guild()
    member, world, problems = _member(call), call.world, Problems()
    form = Form(await call.body(), problems)
    nick = form.optional_text("nick", most=32)
    roles = form.snowflakes("roles")
    problems.check()
    if "nick" in form:
        own = member is call.user
        call.guild(Permission.CHANGE_NICKNAME if own else Permission.MANAGE_NICKNAMES)
        member.nick = nick or None
    if "roles" in form:
        call.guild(Permission.MANAGE_ROLES)
        if any(r not in world.roles for r in roles):
            raise refusal(10011)
        member.role_ids = [r for r in dict.fromkeys(roles) if r != world.guild_id]
    members.changed(world, member)
    return world.member_payload(member)


@table.route("PUT", _MEMBERS + "/{user_id}/roles/{role_id}")
async def give_role(call: Call) -> Any:
    call.guild(Permission.MANAGE_ROLES)
    member, role = _member(call), _role(call)
    _require_held(call, role)
    if role.id not in member.role_ids and role.id != call.world.guild_id:
        member.role_ids.append(role.id)
        members.changed(call.world, member)


@table.route("DELETE", _MEMBERS + "/{user_id}/roles/{role_id}")
async def take_role(call: Call) -> Any:
    call.guild(Permission.MANAGE_ROLES)
    member, role = _member(call), _role(call)
    _require_held(call, role)
    if role.id in member.role_ids:
        member.role_ids.remove(role.id)
        members.changed(call.world, member)
