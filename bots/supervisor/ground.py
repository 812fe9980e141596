"""What the agents stand on: the state folder's lock, the database, the bus and the IRC server."""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import socket
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from bots.settings import Settings
from bots.state import StateFolder
from bots.supervisor import ports
from bots.supervisor.identities import Identities
from bots.supervisor.programs import irc_server, nats_server
from bots.supervisor.service import Program, Service
from storage.migrate import upgrade
from storage.store import Store

#: where IRC clients look first
_IRC_PORT = 6667


class AlreadyRunning(Exception):
    """Another supervisor holds this state folder."""


def lock(state: StateFolder) -> int:
    """Take the state folder for this process; the descriptor holds the lock. Raises
    `AlreadyRunning`.
    """
    fd = os.open(state.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise AlreadyRunning(
            "a swarm already runs from this state folder: `python3 run.py status` shows it, "
            "`python3 run.py down` ends it"
        ) from None
    return fd


def is_locked(state: StateFolder) -> bool:
    """True while a supervisor lives in this state folder."""
    try:
        os.close(lock(state))
    except AlreadyRunning:
        return True
    except FileNotFoundError:
        return False
    return False


def database_url(settings: Settings, state: StateFolder) -> str:
    return settings.swarm.database_url or f"sqlite:///{state.database}"


class Ground:
    """Opened before the first agent is born, closed after the last one is gone."""

    def __init__(
        self,
        settings: Settings,
        state: StateFolder,
        identities: Identities,
        *,
        rng: random.Random,
        log: FilteringBoundLogger,
    ) -> None:
        self._settings = settings
        self._state = state
        self._identities = identities
        self._rng = rng
        self._log = log
        self._store: Store | None = None
        self._irc_right: socket.socket | None = None
        self.services: list[Service] = []
        self.nats_url = settings.swarm.nats_url
        self.irc_host = settings.irc.host or ports.LOOPBACK
        self.irc_port = settings.irc.port

    @property
    def store(self) -> Store:
        assert self._store is not None, "open() comes first"
        return self._store

    @property
    def database_url(self) -> str:
        return database_url(self._settings, self._state)

    @property
    def database_driver(self) -> str:
        """The module that speaks with the database, for the fork server to preload."""
        return "psycopg" if self.database_url.startswith("postgresql") else "aiosqlite"

    async def open(self) -> None:
        """Start the servers and bring the database to today's schema, side by side.

        Raises `PortTaken`, `ServiceFailed`, `StorageError`.
        """
        swarm = self._settings.swarm
        if not swarm.nats_url:
            port = ports.choose(swarm.nats_port, "swarm.nats_port")
            self.nats_url = f"nats://{ports.LOOPBACK}:{port}"
            program = nats_server(self._state.nats, port, self._identities.bus_passwords)
            self.services.append(self._service(program, self._state.log_of("nats")))
        if not self._settings.irc.host and self._settings.sandbox.irc:
            self._irc_right = ports.claim(_IRC_PORT)
            usual = self._irc_right is not None and ports.is_free(_IRC_PORT)
            self.irc_port = ports.choose(
                self._settings.sandbox.irc_port,
                "sandbox.irc_port",
                # Where it cannot be the usual one, let clients at least find last time's again.
                preferred=_IRC_PORT if usual else self._state.last_irc_port(),
            )
            self._state.remember_irc_port(self.irc_port)
            self.services.append(
                self._service(irc_server(self.irc_port), self._state.log_of("irc"))
            )
        await asyncio.gather(self._open_store(), *(s.start() for s in self.services))

    async def close(self) -> None:
        await asyncio.gather(*(s.stop() for s in self.services))
        if self._store is not None:
            await self._store.close()
        if self._irc_right is not None:
            self._irc_right.close()

    async def _open_store(self) -> None:
        self._store = await Store.open(self.database_url)
        await upgrade(self._store, self._state.path / "migrate.lock")

    def _service(self, program: Program, log_file: Path) -> Service:
        return Service(program, log_file, rng=self._rng, log=self._log)
