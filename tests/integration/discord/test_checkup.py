"""What `doctor` can say of a bot before it connects."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.discord import links
from bots.discord.checkup import check
from bots.sandbox.server import build
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


async def test_permissions_that_the_role_lacks_are_named(tmp_path: Path) -> None:
    server = build(config())
    async with serving(server) as sandbox:
        for role in server._world.roles.values():
            role.permissions = links.PERMISSIONS["View Channels"]
        found = await check(Agent(sandbox, tmp_path).config)
    assert "In parley it lacks Send Messages, Send Messages in Threads" in found.troubles[0]
    assert f"client_id={CAPTAIN_ID}" in found.troubles[0]
