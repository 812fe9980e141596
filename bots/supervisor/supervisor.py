"""The supervisor: one process that has the agents born, watches them, and carries the kill to them.

Start order: lock, servers and database, control door, agents. Stop order: the reverse.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from bots.bus import KILL, RESUME, Bus
from bots.clock import utc_now
from bots.control import wire
from bots.control.door import Door
from bots.control.once import first_use
from bots.control.operators import Operators
from bots.control.signatures import signing_key
from bots.keys.desk import KeyDesk
from bots.lifeline import Message
from bots.settings import Settings
from bots.state import StateFolder
from bots.supervisor.backoff import Backoff
from bots.supervisor.births import Births, model_key
from bots.supervisor.bookkeeping import Bookkeeping
from bots.supervisor.child import Child
from bots.supervisor.folder_lock import lock
from bots.supervisor.ground import Ground
from bots.supervisor.handing import Handing
from bots.supervisor.identities import Identities
from bots.supervisor.key_orders import KeyOrders
from bots.supervisor.latching import Latching
from bots.supervisor.nursery import Nurseries, Nursery
from bots.supervisor.orders import Orders
from bots.supervisor.overdue import Overdue
from bots.supervisor.programs import SUPERVISOR
from bots.supervisor.registrar import Registrar
from bots.supervisor.status import Status, database_name
from bots.supervisor.sweeper import Sweeper
from bots.tasks import Tasks
from storage.latch import LatchFile
from storage.tables import AgentState

STOP_WITHIN_S = 3.0
_PING_EVERY_S = 1.0


class Supervisor:
    """`run` starts everything and lives until `stop` is called or a signal comes."""

    def __init__(
        self,
        settings: Settings,
        state: StateFolder,
        prompts: Path,
        *,
        only: Sequence[str] = (),
        guests: int = 0,
        rng: random.Random,
        log: FilteringBoundLogger,
    ) -> None:
        """`only` names the agents to run, all of them when empty; an unknown one raises
        `SettingsError`. `guests`: ordinary people in the sandbox guild.
        """
        self._settings = settings
        self._state = state
        self._log = log
        self._rng = rng
        self._stop = asyncio.Event()
        # A supervisor that lost a part of itself ends in order, to be started again.
        self._tasks = Tasks(self.stop, log)
        self._opened = False
        self._nicks: dict[str, str | None] = {}
        chosen = [settings.agent(n).name for n in only] or [a.name for a in settings.agents]
        self.children = {name: self._child(name) for name in chosen}
        identities = Identities.make([a.name for a in settings.agents], settings, state)
        self.ground = Ground(settings, state, identities, guests=guests, rng=rng, log=log)
        self._births = Births(settings, state, prompts, identities, self.ground)
        self._nurseries = Nurseries(state.log_of("agents"), self.ground.preload, self._exited, log)
        # Not the process: after kill -9 the next supervisor of this folder, which holds its lock,
        # need not wait for the dead one's leases to run out.
        holder = f"{socket.gethostname()}:{state.identity()}"
        self._registrar = Registrar(self.ground, self.children, holder, utc_now, log)
        self._sweeper = Sweeper(
            self.ground,
            holder,
            signing_key(state.secrets / "supervisor.pem"),
            retention=timedelta(days=settings.swarm.retention_days),
            clock=utc_now,
            log=log,
        )
        self._file = LatchFile(state.latch)
        self._bookkeeping = Bookkeeping(
            lambda: self.ground.store, self._file.killed, clock=utc_now, log=log
        )
        self._bus: Bus | None = None
        self._latching = Latching(
            self._file,
            self.ground,
            self.children,
            bus=lambda: self._bus,
            clock=utc_now,
            log=log,
        )
        self._status = Status(
            settings.swarm.name,
            self.ground,
            self.children,
            self._file,
            utc_now,
            brains={a.name: " → ".join(a.brains) for a in settings.agents},
        )
        self._orders = Orders(
            self._latching,
            self.children,
            Operators(
                settings.operators,
                settings.swarm.name,
                identities.operator_key,
                utc_now,
                lambda: self.ground.guild.operator_roles,
            ),
            clock=utc_now,
            stop=self.stop,
            status=self._status.report,
            first_use=lambda signed: first_use(self.ground.store, signed),
            key_of=partial(model_key, settings),
        )
        self._identities = identities
        desk = KeyDesk.of(settings, state, lambda: self.ground.store, utc_now, log)
        self._handing = Handing(desk, self.children, log)
        self._door = Door(
            identities.token,
            health=lambda: {"ok": True, "agents": len(self.children)},
            steering=self._orders.routes() | KeyOrders(desk, self._handing).routes(),
        )

    async def run(self) -> None:
        """Raises `AlreadyRunning`, `PortTaken`, `ServiceFailed`, `StorageError` when it cannot
        start.
        """
        lock_fd = lock(self._state)
        try:
            await self._start()
            await self._stop.wait()
        finally:
            await self._shut_down()
            os.close(lock_fd)

    def stop(self) -> None:
        """End in order; may be called twice and from a signal handler."""
        self._stop.set()

    def settled(self) -> bool:
        """Every agent is up, or says why it will not be."""
        return self._opened and not self._starting()

    def progress_line(self) -> str:
        """What is being waited for, in a few words."""
        if not self._opened:
            return "starting the bus, the IRC server and the database"
        starting = self._starting()
        return f"{len(self.children) - len(starting)} of {len(self.children)} agents are ready"

    async def status(self) -> dict[str, Any]:
        """The report of `run.py status --json`."""
        return await self._status.report()

    def _starting(self) -> list[str]:
        return [c.name for c in self.children.values() if c.state is AgentState.STARTING]

    async def _start(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self.stop)
        self._file.create()
        # It loads its modules while the servers start.
        await self._nurseries.start()
        await self.ground.open()
        await self._registrar.enrol(self._settings)
        await self._latching.reconcile()
        self._bus = Bus(
            self.ground.nats_url,
            SUPERVISOR,
            self._identities.bus_passwords[SUPERVISOR],
            log=self._log,
        )
        await self._open_door()
        self._opened = True
        self._tasks.start(
            self._bus.run({KILL: self._latching.hear_kill, RESUME: self._latching.hear_resume})
        )
        self._tasks.start(self.ground.open_page(self._door.url))
        self._tasks.start(self._watch())
        self._tasks.start(self._registrar.run())
        self._tasks.start(self._latching.run())
        self._tasks.start(self._latching.watch())
        self._tasks.start(self._sweeper.run())
        self._tasks.start(self._bookkeeping.run())
        self._tasks.start(Overdue(self.ground, clock=utc_now, log=self._log).run())
        self._tasks.start(self._handing.run())
        for child in self.children.values():
            self._tasks.start(child.run())

    async def _open_door(self) -> None:
        await self._door.open(self._settings.swarm.control_port)
        self._state.write_supervisor(
            {
                "pid": os.getpid(),
                "control_url": self._door.url,
                "token": self._identities.token,
                # For scripts that would rather knock at an agent's own door.
                "agent_tokens": self._identities.door_tokens,
                "irc": {"host": self.ground.irc_host, "port": self.ground.irc_port},
                "nats": self.ground.nats_url,
                "database": database_name(self.ground.database_url),
            }
        )

    async def _shut_down(self) -> None:
        self._log.info("stopping")
        await asyncio.gather(*(c.stop(STOP_WITHIN_S) for c in self.children.values()))
        for child in self.children.values():
            self._registrar.changed(child)
        with suppress(Exception):
            # The database may be the very reason why we stop.
            async with asyncio.timeout(2):
                await self._registrar.write()
        await self._tasks.cancel()
        await self._latching.close()
        await self._nurseries.stop()
        await self._door.close()
        self._state.forget_supervisor()
        await self.ground.close()

    async def _watch(self) -> None:
        """Ping every agent every second."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_PING_EVERY_S)
            if self.ground.database_gone():
                # Whoever put another one there, or wants a new one, starts us again.
                says = f"{database_name(self.ground.database_url)} was removed or replaced"
                self._log.error("database.gone", says=says)
                self.stop()
            for child in self.children.values():
                child.ping(loop.time())

    async def _nursery(self) -> Nursery:
        return await self._nurseries.current()

    def _child(self, name: str) -> Child:
        limits = self._settings.limits
        return Child(
            name,
            nursery=self._nursery,
            prepare=self._prepare,
            backoff=Backoff(limits.crashes, limits.crash_window_s, self._rng),
            on_birth=self._born,
            on_state=self._changed,
            on_request=self._hear,
            on_death=self._died,
            log=self._log,
        )

    async def _prepare(self, name: str) -> dict[str, Any]:
        epoch = await self._registrar.take(name)
        return self._births.spec(name, epoch, await self._handing.prepare(name))

    def _born(self, child: Child) -> None:
        self._handing.wake()
        for order in self._latching.unwritten():
            child.send({"kill": wire.to_json(order)})

    def _changed(self, child: Child) -> None:
        self._registrar.changed(child)
        nicks = {c.name: c.nick for c in self.children.values()}
        if nicks != self._nicks:
            self._nicks = nicks
            for other in self.children.values():
                other.send({"nicks": nicks})

    def _hear(self, child: Child, message: Message) -> None:
        if "id" in message:
            self._tasks.start(self._orders.asked(child, message))
        else:
            self._orders.hear(child, message)

    def _died(self, child: Child) -> None:
        self._latching.confirm(child)
        self._registrar.died(child)

    def _exited(self, name: str, pid: int, code: int) -> None:
        if name in self.children:
            self.children[name].exited(pid, code)
