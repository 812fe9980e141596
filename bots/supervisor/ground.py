"""What the agents stand on: the database, the bus, the IRC server, the guild, the local model."""

from __future__ import annotations

import asyncio
import random
import socket
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from bots.delegating.authority import receivers_of
from bots.settings import Settings
from bots.state import StateFolder, database_url
from bots.supervisor import brains, guild, local_model, ports
from bots.supervisor.guild import Guild
from bots.supervisor.identities import Identities
from bots.supervisor.page import Page, page_program
from bots.supervisor.programs import irc_server, nats_server
from bots.supervisor.service import Program, Service, ServiceFailed
from storage.migrate import upgrade
from storage.store import Store

#: where IRC clients look first
_IRC_PORT = 6667


class Ground:
    """Opened before the first agent is born, closed after the last one is gone."""

    def __init__(
        self,
        settings: Settings,
        state: StateFolder,
        identities: Identities,
        *,
        guests: int,
        rng: random.Random,
        log: FilteringBoundLogger,
    ) -> None:
        """`guests`: ordinary people in the sandbox guild, besides its operator."""
        self._settings = settings
        self._state = state
        self._identities = identities
        self._guests = guests
        self._rng = rng
        self._log = log
        self._store: Store | None = None
        #: device and inode of the SQLite file that we opened
        self._file: tuple[int, int] | None = None
        self._irc_right: socket.socket | None = None
        self.services: list[Service] = []
        self.nats_url = settings.swarm.nats_url
        self.irc_host = settings.irc.host or ports.LOOPBACK
        self.irc_port = settings.irc.port
        self.guild = Guild()
        #: root of the local model's API; empty: no agent thinks with it
        self.local_api = ""
        #: None without one: an outside guild lets nobody in but bots
        self.page: Page | None = None

    @property
    def store(self) -> Store:
        assert self._store is not None, "open() comes first"
        return self._store

    @property
    def database_url(self) -> str:
        return database_url(self._settings, self._state)

    @property
    def preload(self) -> list[str]:
        """Modules that only some swarms use, for the fork server to load before it forks."""
        driver = "psycopg" if self.database_url.startswith("postgresql") else "sqlite3"
        sandbox = guild.wants_sandbox(self._settings)
        discord = sandbox or any(a.discord.token for a in self._settings.agents)
        networks = ["bots.agent.discord", "bots.agent.slash"] if discord else []
        return [driver, *networks, *brains.preload(self._settings)]

    async def open(self) -> None:
        """Start the servers and bring the database to today's schema, side by side.

        Raises `PortTaken`, `ServiceFailed`, `SettingsError`, `StorageError`.
        """
        self._plan_bus()
        self._plan_irc()
        self._plan_guild()
        self._plan_local_model()
        await asyncio.gather(self._open_store(), *(s.start() for s in self.services))

    async def open_page(self, control_url: str) -> None:
        """Start the page, where there is one; a swarm without it is a swarm."""
        if not self._settings.console.enabled or not self.guild.is_sandbox:
            return
        self.page = Page.plan(self._settings)
        program = page_program(
            self.page,
            self._settings,
            self.guild,
            self._state.secrets,
            control_url,
            self._identities.token,
        )
        try:
            await self.serve(program).start()
        except ServiceFailed as error:
            self._log.warning("page.missing", why=str(error))

    async def close(self) -> None:
        if self.page is not None:
            self.page.close()
        await asyncio.gather(*(s.stop() for s in self.services))
        if self._store is not None:
            await self._store.close()
        if self._irc_right is not None:
            self._irc_right.close()

    def _plan_bus(self) -> None:
        swarm = self._settings.swarm
        if not swarm.nats_url:
            port = ports.choose(swarm.nats_port, "swarm.nats_port")
            self.nats_url = f"nats://{ports.LOOPBACK}:{port}"
            passwords, receivers = self._identities.bus_passwords, receivers_of(self._settings)
            self.serve(nats_server(self._state.nats, port, passwords, receivers))

    def _plan_irc(self) -> None:
        wanted = any("irc" in a.transports for a in self._settings.agents)
        if self._settings.irc.host or not self._settings.sandbox.irc or not wanted:
            return
        self._irc_right = ports.claim(_IRC_PORT)
        usual = self._irc_right is not None and ports.is_free(_IRC_PORT)
        self.irc_port = ports.choose(
            self._settings.sandbox.irc_port,
            "sandbox.irc_port",
            # Where it cannot be the usual one, let clients at least find last time's again.
            preferred=_IRC_PORT if usual else self._state.last_irc_port(),
        )
        self._state.remember_irc_port(self.irc_port)
        self.serve(irc_server(self.irc_port))

    def _plan_guild(self) -> None:
        settings = self._settings
        if not guild.wants_sandbox(settings):
            self.guild = guild.outside(settings)
            return
        port = ports.choose(settings.sandbox.discord_port, "sandbox.discord_port")
        self.guild = guild.sandbox(settings, port, self._guests)
        self.serve(guild.sandbox_program(settings, self.guild, self._state.secrets, port))

    def _plan_local_model(self) -> None:
        if not brains.wants_local(self._settings):
            return
        port = ports.free_port()
        self.serve(local_model.local_program(self._state.secrets, port))
        self.local_api = local_model.address(port)

    def serve(self, program: Program) -> Service:
        """Have this program run from now on; its caller starts it."""
        log_file = self._state.log_of(program.name)
        service = Service(program, log_file, rng=self._rng, log=self._log)
        self.services.append(service)
        return service

    async def _open_store(self) -> None:
        self._store = await Store.open(self.database_url)
        await upgrade(self._store, self._state.path / "migrate.lock")
        self._file = self._file_now()

    def database_gone(self) -> bool:
        """Somebody removed or replaced the SQLite file: what is written goes nowhere."""
        return self._file is not None and self._file_now() != self._file

    def _file_now(self) -> tuple[int, int] | None:
        if self._store is None or self._store.dialect != "sqlite":
            return None
        try:
            found = Path(str(self._store.url.database)).stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
