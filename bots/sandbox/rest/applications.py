"""applications/… and oauth2: what a bot's application says of itself, and its commands."""

from __future__ import annotations

from typing import Any

from bots.sandbox import payloads
from bots.sandbox.errors import refusal
from bots.sandbox.forms import Form, Problems
from bots.sandbox.intents import application_flags
from bots.sandbox.model import User
from bots.sandbox.payloads import Payload
from bots.sandbox.rest.call import Call
from bots.sandbox.rest.table import Table
from bots.sandbox.world import World

table = Table()


def application(world: World, bot: User) -> Payload:
    """The application of `bot`, as itself sees it."""
    owner = world.owner
    return {
        "id": str(bot.id),
        "name": bot.name,
        "icon": bot.avatar,
        "description": bot.description,
        "summary": "",
        "type": None,
        "rpc_origins": [],
        "bot_public": False,
        "bot_require_code_grant": False,
        "bot": payloads.user(bot),
        "owner": payloads.user(owner) if owner else payloads.user(bot),
        "verify_key": f"{bot.id:064x}",
        "team": None,
        "guild_id": None,
        "flags": application_flags(bot.intents),
        "tags": [],
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "integration_types_config": {"0": {}},
    }


def own_application(call: Call) -> User:
    """The bot that asks, whose application the path names.

    :raises ApiError: 20002 for people, 20012 for another's application
    """
    if not call.user.bot:
        raise refusal(20002)
    if "application_id" in call.request.match_info and call.id("application_id") != call.user.id:
        raise refusal(20012)
    return call.user


@table.route("GET", "/oauth2/applications/@me")
@table.route("GET", "/applications/@me")
async def get_own_application(call: Call) -> Any:
    return application(call.world, own_application(call))


@table.route("PATCH", "/applications/@me")
@table.route("PATCH", "/oauth2/applications/@me")
async def change_own_application(call: Call) -> Any:
    """Takes ``description``."""
    bot = own_application(call)
    problems = Problems()
    description = Form(await call.body(), problems).text(
        "description", most=400, default=bot.description
    )
    problems.check()
    bot.description = description
    return application(call.world, bot)
