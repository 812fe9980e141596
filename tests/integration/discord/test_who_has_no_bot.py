"""Commands about an agent of the swarm that is on IRC only: nobody waits for it in vain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.discord.swarm import client, member
from tests.integration.discord.test_commands import answered
from tests.integration.sandbox.stage import Sandbox

AGENTS = [
    {"name": "captain", "role": "captain"},
    {"name": "rook", "role": "search", "soul": "secretary"},
    {"name": "mute", "role": "auditor", "soul": "auditor", "transports": ["irc"]},
]


@pytest.mark.parametrize("command", ["ask", "stop"])
async def test_it_is_told_that_the_agent_is_elsewhere(
    sandbox: Sandbox, tmp_path: Path, command: str
) -> None:
    async with member(sandbox, tmp_path, agents=AGENTS) as captain:
        await captain.synced()
        you = await client(sandbox)
        question: dict[str, Any] = {"question": "well?"} if command == "ask" else {}
        await you.use(command, agent="mute", **question)
        assert (await answered(you))["content"].startswith("mute is not on discord")
        assert await captain.inbox("mute") == []


async def test_stop_for_everybody_is_told_to_those_on_discord(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with member(sandbox, tmp_path, agents=AGENTS) as captain:
        await captain.synced()
        you = await client(sandbox)
        await you.use("stop")
        assert (await answered(you))["content"] == "Told captain, rook to stop."
        assert await captain.inbox("mute") == []
