"""A kill ends what slash commands are at, models included."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bots.commands.asked import Asked
from bots.commands.registry import Arguments, Command
from tests.integration.discord.swarm import client, member
from tests.integration.discord.test_commands import answered
from tests.integration.sandbox.stage import Sandbox


async def test_a_command_that_asks_a_model_ends_with_a_kill(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async with member(sandbox, tmp_path) as captain:
        await captain.synced()
        began, ended = asyncio.Event(), asyncio.Event()

        async def endless(command: Command, asked: Asked, arguments: Arguments) -> str:
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()
            return ""

        captain.slash.front._answer = endless
        captain.switch.on_killed = lambda _: captain.slash.hush()
        you = await client(sandbox)
        await you.use("compact")
        async with asyncio.timeout(10):
            await began.wait()
            await captain.switch.kill("all", "olga", "test", "enough")
            await ended.wait()
            assert (await answered(you))["content"].startswith("Killed by olga at")
