"""The captain's slash commands as its process has them: real store, guard, desk and kill switch, on
the sandbox guild. The supervisor alone is played: it notes what it is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import discord
import structlog
from discord.http import HTTPClient
from pydantic import SecretStr

from bots.agent.assembly import Answering, Wires, answering
from bots.agent.discord import GuildTransport
from bots.agent.networks import Events
from bots.agent.slash import Slash
from bots.agent.spec import AgentSpec
from bots.clock import utc_now
from bots.control.switch import KillSwitch
from bots.keys.holding import NoKey
from bots.keys.signer import Signer
from bots.messages import DISCORD, Heard, TransportHealth
from bots.roster import Roster
from bots.secrets import Redactor
from bots.settings import Settings
from bots.state import StateFolder
from bots.tasks import Tasks
from storage import agents, inbox
from storage.inbox import Work
from storage.latch import Latch, LatchFile
from storage.store import Store
from tests.integration.sandbox.interacting import Client
from tests.integration.sandbox.stage import CAPTAIN, CAPTAIN_ID, ROOK, ROOK_ID, YOU, Sandbox
from tests.schema import give_schema

ROOT = Path(__file__).parents[3]
LOG = structlog.get_logger()
PATIENCE_S = 10.0
_TOKENS = {"captain": CAPTAIN, "rook": ROOK}


def settings_of(folder: Path, **more: Any) -> Settings:
    """Two agents in two channels."""
    return Settings.model_validate(
        {
            "swarm": {"state_folder": str(folder)},
            "agents": [
                {"name": "captain", "role": "captain", "soul": "captain"},
                {
                    "name": "rook",
                    "role": "search",
                    "soul": "secretary",
                    "channels": ["#task-board"],
                },
            ],
            "channels": [{"name": "#lobby", "everybody": True}, {"name": "#task-board"}],
        }
        | more
    )


class Member:
    """One agent with its transport on the guild and its slash commands; it works on no inbox."""

    def __init__(self, spec: AgentSpec, store: Store, again_s: float) -> None:
        self.spec, self.store = spec, store
        state = StateFolder(spec.state_folder)
        self.file = LatchFile(state.latch)
        #: what was asked of the supervisor, what was spread, whom was nudged, which work ended
        self.asked: list[dict[str, Any]] = []
        self.spread: list[Latch] = []
        self.nudged: list[str] = []
        self.stopped: list[tuple[str, str]] = []
        self.said = "Killed all: 2 of 2 have stopped, the slowest after 3 ms."
        self.broken: list[str] = []
        #: interactions are kept here for the test instead of being taken
        self.holds_back = False
        self.held: list[discord.Interaction] = []
        self.tasks = Tasks(lambda: self.broken.append("a task"), LOG)
        self.switch = KillSwitch(spec.name, self.file, clock=utc_now, tell=self._tell, log=LOG)
        events = Events(
            heard=self._heard,
            changed=self._changed,
            before_join=_nobody_waits,
            began=self._began,
            interaction=self._interaction,
            veto=self.switch.veto,
        )
        self._news = asyncio.Event()
        self.transport = GuildTransport(spec, state, events, LOG)
        self.parts: Answering = answering(
            spec,
            store,
            transports={DISCORD: self.transport},
            roster=Roster(spec.settings, spec.discord_agents),
            switch=self.switch,
            wires=Wires(
                ask=self._ask,
                own_state=lambda: "ready, idle",
                end_work=self._stop,
                nudge=self.nudged.append,
                signer=_no_key,
                publish=lambda *_: None,
            ),
            redactor=Redactor(spec.secrets()),
            log=LOG,
        )
        self.slash = Slash(
            spec,
            state,
            self.parts,
            transport=self.transport,
            switch=self.switch,
            tasks=self.tasks,
            changed=self._news.set,
            log=LOG,
            again_s=again_s,
        )

    @property
    def http(self) -> tuple[HTTPClient, int]:
        """discord.py's REST client, and the application."""
        client = self.transport.client
        assert client is not None
        assert client.application_id is not None
        return client.http, client.application_id

    async def synced(self) -> None:
        """Its commands have been looked after."""
        async with asyncio.timeout(PATIENCE_S):
            await self.slash.looked_after.wait()

    async def inbox(self, agent: str) -> list[Work]:
        async with self.store.reading() as unit:
            return await inbox.waiting(unit, agent)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._news.clear()
                await self._news.wait()

    def _tell(self, latch: Latch) -> None:
        self.spread.append(latch)
        self._news.set()

    def _interaction(self, interaction: discord.Interaction) -> None:
        if self.holds_back:
            self.held.append(interaction)
            self._news.set()
        else:
            self.slash.on_interaction(interaction)

    def _began(self, network: str) -> None:
        self.slash.began(network)

    def _heard(self, heard: Heard) -> None:
        self._news.set()

    def _changed(self, network: str, health: TransportHealth) -> None:
        self._news.set()

    def _stop(self, session: str, who: str) -> bool:
        self.stopped.append((session, who))
        return True

    async def _ask(self, wish: dict[str, Any]) -> str:
        self.asked.append(wish)
        return self.said


async def _nobody_waits(network: str, channel: str) -> None:
    return None


@contextlib.asynccontextmanager
async def member(
    sandbox: Sandbox,
    folder: Path,
    name: str = "captain",
    *,
    api_base: str = "",
    again_s: float = 60.0,
    **more: Any,
) -> AsyncIterator[Member]:
    """This agent, connected; `more` are settings."""
    folder.mkdir(exist_ok=True)
    state = StateFolder(folder / name)
    state.create()
    if not state.latch.exists():
        LatchFile(state.latch).create()
    url = f"sqlite:///{folder / 'parley.db'}"
    store = Store(url)
    await give_schema(store)
    async with store.writing() as unit:
        for agent in ("captain", "rook"):
            await agents.enrol(unit, agent, agent, utc_now())
    spec = AgentSpec(
        name=name,
        epoch=1,
        settings=settings_of(folder / name, **more),
        state_folder=folder / name,
        prompts_folder=ROOT / "prompts",
        database_url=url,
        nats_url="",
        nats_password=SecretStr(""),
        irc_host="",
        irc_port=0,
        discord_token=SecretStr(_TOKENS[name]),
        discord_api=api_base or f"http://127.0.0.1:{sandbox.port}/api/v10",
        discord_gateway=f"ws://127.0.0.1:{sandbox.port}/gateway",
        discord_guild=str(sandbox.guild_id),
        discord_agents={str(CAPTAIN_ID): "captain", str(ROOK_ID): "rook"},
        control_token=SecretStr("not-used"),
        operator_key="",
    )
    one = Member(spec, store, again_s)
    running = asyncio.create_task(one.transport.run())
    try:
        await one.until(lambda: one.transport.health.connected)
        yield one
    finally:
        await one.slash.close()
        await one.transport.stop("bye")
        await asyncio.wait({running})
        await one.tasks.cancel()
        await store.close()
    assert one.broken == []


def _no_key() -> Signer:
    raise NoKey("it hands over nothing")


async def client(sandbox: Sandbox, token: str = YOU, channel: str = "lobby") -> Client:
    """A person in this channel."""
    ear = await sandbox.listening(token)
    [place] = [c for c in ear.guild["channels"] if c["name"] == channel]
    return Client(sandbox.person(token), ear, sandbox.guild_id, int(place["id"]))
