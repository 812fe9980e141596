"""Somebody who is no operator wishes for more than operators should have to look at."""

from __future__ import annotations

from pathlib import Path

from bots.sandbox.snowflake import named
from tests.integration.discord.swarm import client, member
from tests.integration.discord.test_commands import answered
from tests.integration.sandbox.stage import GUEST, Sandbox

AGENTS = [{"name": "captain", "role": "captain"}] + [
    {"name": f"rook-{number}", "role": "search", "soul": "secretary"} for number in range(6)
]


async def test_who_asks_too_much_is_told_so(sandbox: Sandbox, tmp_path: Path) -> None:
    operators = {"discord_roles": [str(named("role", "operators"))]}
    async with member(sandbox, tmp_path, agents=AGENTS, operators=operators) as captain:
        await captain.synced()
        guest = await client(sandbox, GUEST)
        told = []
        for number in range(6):
            await guest.use("restart", agent=f"rook-{number}")
            told.append((await answered(guest))["content"])
        assert all("asked the operators" in one for one in told[:5])
        assert told[5] == "No: the operators have enough to decide already; try again later."
        assert captain.asked == []
