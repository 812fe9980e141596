"""What `doctor` can say of a bot before it connects."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.discord import links
from bots.discord.checkup import check
from bots.sandbox.model import Overwrite
from bots.sandbox.server import build
from tests.integration.discord.rude import TwoGuilds, stranger
from tests.integration.discord.stage import Agent, free_port
from tests.integration.sandbox.stage import (
    CAPTAIN_ID,
    DEAF,
    DEAF_ID,
    Sandbox,
    bot_token,
    config,
    serving,
)


async def test_a_healthy_bot_has_no_troubles(sandbox: Sandbox, tmp_path: Path) -> None:
    found = await check(Agent(sandbox, tmp_path).config)
    assert (found.name, found.application_id, found.troubles) == ("captain", CAPTAIN_ID, ())


@pytest.mark.parametrize(
    ("changes", "trouble"),
    [
        ({"token": SecretStr(bot_token(77))}, "does not accept captain's token"),
        (
            {"token": SecretStr(DEAF)},
            f'"Message Content Intent" at https://discord.com/developers/applications/{DEAF_ID}/bot',
        ),
        ({"guild": "4242"}, "is in no guild; let it in: https://discord.com/oauth2/authorize"),
        ({"api_base": f"http://127.0.0.1:{free_port()}"}, "Discord cannot be asked"),
    ],
)
async def test_each_trouble_is_named_with_what_mends_it(
    sandbox: Sandbox, tmp_path: Path, changes: dict[str, object], trouble: str
) -> None:
    found = await check(Agent(sandbox, tmp_path, **changes).config)
    assert len(found.troubles) == 1
    assert trouble in found.troubles[0]


async def test_a_server_that_is_not_discords_is_said(sandbox: Sandbox, tmp_path: Path) -> None:
    async with stranger() as api_base:
        found = await check(Agent(sandbox, tmp_path, api_base=api_base).config)
    assert found.troubles == (
        "Discord cannot be asked: what answers there does not speak as Discord does.",
    )


async def test_a_bot_in_two_guilds_is_told_to_name_one(sandbox: Sandbox, tmp_path: Path) -> None:
    async with TwoGuilds(sandbox) as there:
        lost = Agent(sandbox, tmp_path, api_base=there.api_base, guild="").config
        settled = Agent(sandbox, tmp_path, api_base=there.api_base).config
        [trouble] = (await check(lost)).troubles
        assert (await check(settled)).troubles == ()
    assert "It is in 2 guilds (parley and elsewhere)" in trouble
    either = f'discord.guild = "{sandbox.guild_id}" or "{TwoGuilds.OTHER}"'
    assert f"name yours in swarm.toml, {either}." in trouble


async def test_what_the_guild_and_what_a_channel_lacks_are_both_named(tmp_path: Path) -> None:
    server = build(config())
    async with serving(server) as sandbox:
        [lobby] = [c for c in server._world.channels.values() if c.name == "lobby"]
        threads = links.PERMISSIONS["Send Messages in Threads"]
        lobby.overwrites = [Overwrite(id=CAPTAIN_ID, type=1, deny=threads)]
        for role in server._world.roles.values():
            role.permissions &= ~links.PERMISSIONS["Attach Files"]
        guild, channel = (await check(Agent(sandbox, tmp_path).config)).troubles
    assert "In parley it lacks Attach Files; give it at https://" in guild
    where = f"https://discord.com/channels/{sandbox.guild_id}/{lobby.id}"
    assert channel == (
        "It lacks the permission Send Messages in Threads in #lobby "
        f"(Edit Channel, Permissions: {where})."
    )


async def test_permissions_that_the_role_lacks_are_named(tmp_path: Path) -> None:
    server = build(config())
    async with serving(server) as sandbox:
        for role in server._world.roles.values():
            role.permissions = links.PERMISSIONS["View Channels"]
        found = await check(Agent(sandbox, tmp_path).config)
    assert "In parley it lacks Send Messages, Send Messages in Threads" in found.troubles[0]
    assert f"client_id={CAPTAIN_ID}" in found.troubles[0]
