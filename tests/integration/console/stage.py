"""The whole scene: the sandbox guild and the page as processes, a control door, real bots."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.integration.console.bots import EchoBot
from tests.integration.console.door import TOKEN, ControlDoor

ROOT = Path(__file__).parents[3]
PATIENCE_S = 20.0
LOGIN = "login-token-of-the-test"
CATEGORIES = [
    {
        "name": "command",
        "channels": [
            {"name": "lobby", "topic": "Everybody sits here"},
            {"name": "ceo-office", "topic": "Decisions"},
            {"name": "announcements", "topic": "What everybody should know"},
        ],
    },
    {"name": "engineering", "channels": [{"name": "technical", "topic": "How things work"}]},
    {"name": "operations", "channels": [{"name": "task-board"}, {"name": "reports"}]},
    {"name": "system", "channels": [{"name": "agent-logs"}, {"name": "inter-agent"}]},
]


def bot_token(number: int) -> str:
    return base64.b64encode(str(number).encode()).decode().rstrip("=") + ".sandbox.bot"


@dataclass
class Scene:
    """What a test needs to know of the processes."""

    console: asyncio.subprocess.Process
    sandbox: asyncio.subprocess.Process
    door: ControlDoor
    url: str
    sandbox_port: int
    guild_id: int
    bots: dict[str, EchoBot] = field(default_factory=dict)

    def channel(self, name: str, bot: str = "captain") -> discord.TextChannel:
        found = discord.utils.get(self.bots[bot].get_all_channels(), name=name)
        assert isinstance(found, discord.TextChannel)
        return found


async def start(module: str, config: dict[str, Any], path: Path, port_key: str = "port") -> Any:
    """The process, and what it said on its first line."""
    path.write_text(json.dumps(config))
    path.chmod(0o600)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        "--config",
        str(path),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        return process, json.loads(await process.stdout.readline())


async def end(process: asyncio.subprocess.Process) -> int:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE_S):
        return await process.wait()


def sandbox_config(bots: Sequence[str], port: int = 0) -> dict[str, Any]:
    return {
        "port": port,
        "guild": {"name": "parley"},
        "categories": CATEGORIES,
        "bots": [
            {
                "name": name,
                "token": bot_token(9000 + number),
                "intents": ["message_content", "members", "presences"],
            }
            for number, name in enumerate(bots)
        ],
        "users": [
            {"name": "you", "token": "user-token-you", "operator": True},
            {"name": "guest1", "token": "user-token-guest"},
        ],
        "limits": {"enabled": False},
    }


def console_config(sandbox_port: int, guild: str, control_port: int) -> dict[str, Any]:
    return {
        "port": 0,
        "swarm": "parley",
        "token": LOGIN,
        "storage_secret": "a secret that only this test has",
        "guild": {
            "api": f"http://127.0.0.1:{sandbox_port}/api/v10",
            "gateway": f"ws://127.0.0.1:{sandbox_port}/gateway",
            "id": guild,
            "users": [
                {"name": "you", "token": "user-token-you", "operator": True},
                {"name": "guest1", "token": "user-token-guest", "operator": False},
            ],
        },
        "control": {"url": f"http://127.0.0.1:{control_port}", "token": TOKEN},
    }


@contextlib.asynccontextmanager
async def scene(
    folder: Path, agents: Sequence[str] = ("captain", "secretary"), *, with_bots: bool = True
) -> AsyncIterator[Scene]:
    """Everything is running inside, and gone after."""
    async with contextlib.AsyncExitStack() as stack:
        door = await stack.enter_async_context(ControlDoor(list(agents)))
        sandbox, said = await start("bots.sandbox", sandbox_config(agents), folder / "sandbox.json")
        stack.push_async_callback(end, sandbox)
        port, guild = said["port"], said["guild"]
        bots: dict[str, EchoBot] = {}
        if with_bots:
            stack.enter_context(_point_at(port))
            for number, name in enumerate(agents):
                bot = bots[name] = EchoBot(int(guild), commands=number == 0)
                running = asyncio.create_task(bot.start(bot_token(9000 + number)))
                stack.push_async_callback(_finish, bot, running)
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.gather(*(bot.up.wait() for bot in bots.values()))
        config = console_config(port, guild, door.port)
        console, told = await start("bots.console", config, folder / "console.json")
        stack.push_async_callback(end, console)
        url = f"http://127.0.0.1:{told['port']}"
        yield Scene(console, sandbox, door, url, port, int(guild), bots)


@contextlib.contextmanager
def _point_at(port: int) -> Any:
    """Inside, discord.py's REST and gateway are the local server's."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE = f"http://127.0.0.1:{port}/api/v10"
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"ws://127.0.0.1:{port}/gateway")
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


async def _finish(bot: EchoBot, running: asyncio.Task[None]) -> None:
    await bot.close()
    await asyncio.gather(running, return_exceptions=True)
