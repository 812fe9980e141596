"""A guild that is not the swarm's own: a server started apart, and tokens for it in files."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bots.sandbox.snowflake import named
from bots.tour.sandbox import Sandbox
from tests.acceptance.guild import Json
from tests.acceptance.stage import ROOT, Swarm

ALL_INTENTS = ("message_content", "members", "presences")


def bot_token(name: str, secret: str = "right") -> str:
    """Of Discord's shape: the bot's id first."""
    first = base64.b64encode(str(named("bot", name)).encode()).decode().rstrip("=")
    return f"{first}.G0tIt.{secret}-secret-of-{name}"


@dataclass
class Outside:
    """The server's process; `Guest.enter` takes it for a swarm with a guild."""

    folder: Path
    #: bot → the privileged intents that its application has
    bots: Mapping[str, tuple[str, ...]]
    more: Json = field(default_factory=dict)
    people: tuple[str, ...] = ("you", "guest1")
    port: int = 0
    guild: str = ""
    _process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True)
        file = self.folder / "guild.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(self._config()))
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bots.sandbox", "--config", str(file)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        told = json.loads(await self._process.stdout.readline())
        self.port, self.guild = told["port"], told["guild"]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        await self._process.wait()

    async def status(self) -> Json:
        """Where it is and who may enter, as a swarm's status says it."""
        users = [{"name": p, "token": f"token-of-{p}"} for p in self.people]
        return {"discord": {"users": users, "guild": self.guild, **self.addresses}}

    @property
    def addresses(self) -> dict[str, str]:
        place = f"127.0.0.1:{self.port}"
        return {"api": f"http://{place}/api/v10", "gateway": f"ws://{place}/gateway"}

    def serve(self, swarm: Swarm | Sandbox, tokens: dict[str, str], **discord: str) -> None:
        """Let this swarm's agents live here by these tokens; each is in a file that only its owner
        reads.
        """
        path = swarm.folder / "swarm.toml"
        text = path.read_text()
        for agent, token in tokens.items():
            secret = swarm.folder / f"{agent}.token"
            secret.touch(mode=0o600)
            secret.write_text(token)
            line = f'name = "{agent}"\n'
            assert line in text
            text = text.replace(line, f'{line}discord.token = "file:{secret.name}"\n', 1)
        where = {"api_base": self.addresses["api"], "gateway": self.addresses["gateway"]} | discord
        path.write_text("\n".join(["[discord]", *(f'{k} = "{v}"' for k, v in where.items()), text]))

    def _config(self) -> dict[str, Any]:
        channels = [{"name": name} for name in ("lobby", "quiet", "technical")]
        return {
            "channels": channels,
            "bots": [
                {"name": name, "token": bot_token(name), "intents": intents}
                for name, intents in self.bots.items()
            ],
            "users": [
                {"name": name, "token": f"token-of-{name}", "operator": name == self.people[0]}
                for name in self.people
            ],
        } | self.more
