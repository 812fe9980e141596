"""The agents' rows: enrolled at start, leased to this supervisor, told of every change of state."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from bots.settings import Settings
from bots.supervisor.child import Child
from bots.supervisor.ground import Ground
from storage import agents, leases
from storage.errors import LeaseLost, StorageError
from storage.tables import AgentState
from storage.unit import Unit

LEASE_S = 30.0
RENEW_S = 10.0


class Registrar:
    """Writes the rows of the agents that this supervisor runs; nobody else writes their state."""

    def __init__(
        self,
        ground: Ground,
        children: Mapping[str, Child],
        holder: str,
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        self._ground = ground
        self._children = children
        self._holder = holder
        self._clock = clock
        self._log = log
        self._changed: set[str] = set()
        self._dead: set[str] = set()
        self._wake = asyncio.Event()

    async def enrol(self, settings: Settings) -> None:
        """Have a row for every configured agent."""
        async with self._ground.store.writing() as unit:
            for agent in settings.agents:
                await agents.enrol(unit, agent.name, agent.role, self._clock())

    async def take(self, name: str) -> int:
        """The epoch for a new process of this agent; raises `LeaseLost` when another supervisor
        runs it.
        """
        async with self._ground.store.writing() as unit:
            return await agents.take(unit, name, self._holder, now=self._clock(), ttl_s=LEASE_S)

    def changed(self, child: Child) -> None:
        """This agent's state is another one now; the row follows."""
        self._changed.add(child.name)
        self._wake.set()

    def died(self, child: Child) -> None:
        """Its process is gone: what it held is free at once, not only when it runs out."""
        self._dead.add(child.name)
        self._wake.set()

    async def run(self) -> None:
        """Write changes as they come and extend the leases, until cancelled."""
        loop = asyncio.get_running_loop()
        renew_at_s = loop.time() + RENEW_S
        while True:
            try:
                async with asyncio.timeout(max(renew_at_s - loop.time(), 0)):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                await self.write()
                if loop.time() >= renew_at_s:
                    await self._extend()
                    renew_at_s = loop.time() + RENEW_S
            except StorageError as error:
                self._log.warning("agents.unwritable", error=str(error))
                await asyncio.sleep(1)
                self._wake.set()

    async def write(self) -> None:
        """Bring the rows of all changed agents up to date."""
        changed, self._changed = self._changed, set()
        dead, self._dead = self._dead, set()
        if not changed and not dead:
            return
        try:
            async with self._ground.store.writing() as unit:
                await self._write(unit, changed, dead)
        except StorageError:
            # What changes meanwhile is in the new sets; the newest state is what gets written.
            self._changed |= changed
            self._dead |= dead
            raise

    async def _write(self, unit: Unit, changed: set[str], dead: set[str]) -> None:
        now = self._clock()
        for name in dead:
            await leases.release_all(unit, name)
        for child in (self._children[name] for name in changed):
            await agents.report(
                unit,
                child.name,
                child.epoch,
                now=now,
                state=child.state,
                reason=child.reason,
                pid=child.pid,
                hook_url=child.hook_url,
                irc_nick=child.nick,
            )
            if child.state is AgentState.STOPPED:
                await agents.let_go(unit, child.name, self._holder, child.epoch, now)

    async def _extend(self) -> None:
        now = self._clock()
        async with self._ground.store.writing() as unit:
            for child in self._children.values():
                if child.pid is not None and not await agents.extend(
                    unit, child.name, self._holder, child.epoch, now, LEASE_S
                ):
                    self._log.error("lease.lost", agent=child.name)
                    child.reason = str(LeaseLost("another supervisor runs this agent now"))
                    child.kill()
