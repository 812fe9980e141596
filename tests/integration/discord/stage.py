"""A transport on the sandbox guild, with what it hears and how it says it is."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import structlog
from pydantic import SecretStr

from bots.discord.transport import DiscordConfig, DiscordTransport
from bots.messages import Heard, Target, TransportHealth
from storage.acts import Act, Permit
from tests.integration.sandbox.stage import CAPTAIN, CAPTAIN_ID, ROOK_ID, Sandbox

PATIENCE_S = 10.0


def permit(target: Target | str, verb: str = "send", *, lasts_s: float = 60.0) -> Permit:
    """The guard's yes, as it would make it."""
    act = Act(agent="captain", verb=verb, target=str(target), reason="a test", trace_id="t")
    return Permit(act=act, audit_hash="", good_until_s=time.monotonic() + lasts_s)


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Agent:
    """One running transport and what came out of it."""

    def __init__(self, sandbox: Sandbox, folder: Path, **changes: Any) -> None:
        self.heard: list[Heard] = []
        self.changes: list[TransportHealth] = []
        self.interactions: list[Any] = []
        self.readies = 0
        self.vetoes: list[str] = []
        #: called with every line, in the moment in which it is heard
        self.on_line: Callable[[], object] = lambda: None
        self._news = asyncio.Event()
        self.config = DiscordConfig(**(_settings(sandbox, folder) | changes))
        self.transport = DiscordTransport(
            self.config,
            on_heard=self._heard,
            on_change=self._changed,
            on_ready=self._ready,
            on_interaction=self._interaction,
            on_places=self._news.set,
            named=self.named,
            rng=random.Random(7),
            log=structlog.get_logger(),
            veto=lambda _: self.vetoes[0] if self.vetoes else "",
        )
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.transport.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        await self.transport.stop("bye")
        async with asyncio.timeout(PATIENCE_S):
            await self._task

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that the transport does."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def ready(self) -> Self:
        await self.until(lambda: self.transport.health.connected)
        return self

    async def lines(self, number: int) -> list[Heard]:
        await self.until(lambda: len(self.heard) >= number)
        return self.heard

    async def ended(self) -> None:
        assert self._task is not None
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait({self._task})

    def channel(self, name: str) -> str:
        """Id of the channel `#name`."""
        places = self.transport.places()
        return next(
            key.removeprefix("channel:") for key, place in places.items() if place.name == name
        )

    def named(self, name: str) -> str | None:
        """As the swarm's transport finds a channel's id by its name; here targets are ids."""
        return None

    def target(self, name: str) -> Target:
        return Target.channel("discord", f"channel:{self.channel(name)}")

    def _heard(self, line: Heard) -> None:
        self.heard.append(line)
        self.on_line()
        self._news.set()

    def _changed(self, health: TransportHealth) -> None:
        self.changes.append(health)
        self._news.set()

    def _ready(self) -> None:
        self.readies += 1
        self._news.set()

    def _interaction(self, interaction: Any) -> None:
        self.interactions.append(interaction)
        self._news.set()


def _settings(sandbox: Sandbox, folder: Path) -> dict[str, Any]:
    return {
        "agent": "captain",
        "token": SecretStr(CAPTAIN),
        "api_base": f"http://127.0.0.1:{sandbox.port}/api/v10",
        "gateway": f"ws://127.0.0.1:{sandbox.port}/gateway",
        "guild": str(sandbox.guild_id),
        "wanted": ("#lobby", "#task-board"),
        "agents": {str(CAPTAIN_ID): "captain", str(ROOK_ID): "rook"},
        "identify_file": folder / "captain.json",
        "guilds_s": 0.05,
        "reidentify_s": (0.0, 0.1),
        "reconnect_first_s": 0.05,
    }
