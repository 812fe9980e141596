"""Kill and resume as the supervisor carries them out, and the latch's file and row kept saying the
same.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from structlog.typing import FilteringBoundLogger

from bots.bus import KILL, RESUME, Bus
from bots.control import wire
from bots.supervisor.child import Child
from bots.supervisor.ground import Ground
from bots.supervisor.holding import Holding
from bots.supervisor.kills import Kill, Report
from bots.supervisor.programs import SUPERVISOR
from storage import audit, events, latch
from storage.errors import StorageError
from storage.latch import Latch, LatchFile
from storage.unit import Unit

_LOOK_EVERY_S = 2.0
_KNOWN = 64
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0


class KilledAgain(Exception):
    """A resume was carried out, but a kill that came meanwhile, or another one, still holds."""


class Latching:
    """`kill` reaches every agent through pipe, bus, file and row at once; none of them waits for
    another.
    """

    def __init__(
        self,
        file: LatchFile,
        ground: Ground,
        children: Mapping[str, Child],
        *,
        bus: Callable[[], Bus | None],
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        self.file = file
        self._holding = Holding(file, log)
        self._ground = ground
        self._children = children
        self._bus = bus
        self._clock = clock
        self._log = log
        self._kills: list[Kill] = []
        #: the kills carried out lately; the bus brings each one back, in any order
        self._known: deque[Latch] = deque(maxlen=_KNOWN)
        #: how many there were: a resume that sees it rise has been overtaken
        self._count = 0
        #: scope → what came of its last kill
        self._reports: dict[str, Report] = {}
        #: held by who compares or changes rows and file together
        self._writing = asyncio.Lock()
        self._look = asyncio.Event()
        #: the rows at the last look; only what changes since then is news
        self._rows_seen: dict[str, Latch] = {}
        #: latches whose row and audit entry are still owed
        self._owed: asyncio.Queue[tuple[Latch, dict[str, Any]]] = asyncio.Queue()
        self._carrying: set[asyncio.Task[Any]] = set()

    async def kill(self, order: Latch, *, force: bool = False) -> Report:
        """Carry out one kill and wait for every agent's word; idempotent.

        With `force` nobody's word is waited for, in no other kill under way either: SIGKILL.
        """
        self._known.append(order)
        self._count += 1
        kill = Kill(order, self._children, asyncio.get_running_loop().time)
        self._kills.append(kill)
        if force:
            for one in self._kills:
                one.force(order.scope)
        self._publish(KILL, order)
        try:
            # The file must not wait for the agents, nor they for the disk.
            _, report = await asyncio.gather(self._holding.kill(order), kill.finish())
        finally:
            self._kills.remove(kill)
        self._reports[order.scope] = report
        self._owed.put_nowait((order, report.as_json()))
        return report

    async def outcome(self, scope: str) -> str | None:
        """What came of the kill that holds `scope`, once finished; None when none holds it."""
        for kill in self._kills:
            if kill.report.latch.scope == scope:
                return (await kill.finish()).sentence()
        held = self._holding.by_scope().get(scope)
        if held is None or not held.killed:
            return None
        report = self._reports.get(scope)
        return report.sentence() if report else f"{scope} is killed already, by {held.by}."

    async def resume(self, scope: str, by: str, door: str, reason: str) -> Latch:
        """Open the latch again in row and file.

        The row first: a resume that holds only on this machine would be a half-truth. Raises
        `StorageError` when the row cannot be cleared, `KilledAgain` when a kill came meanwhile.
        """
        order = Latch(
            scope=scope, killed=False, by=by, door=door, reason=reason, changed_at=self._clock()
        )
        # What is lifted is what held when the word was given: a kill that comes while we wait for
        # our turn is a newer word.
        seen, count = self._holding.by_scope(), self._count
        async with self._writing:
            async with self._ground.store.writing(durable=True) as unit:
                await self._clear_rows(unit, order, seen)
                await _audit(unit, order, {})
            if self._count == count:
                await self._holding.resume(order, seen)
                self._holding.forget(scope)
            with suppress(StorageError):
                self._rows_seen = await self._rows()
        still = self.file.killed(scope)
        if still is not None:
            if seen.get(still.scope) != still:
                self._owed.put_nowait((still, {}))
            raise KilledAgain(f"still killed, by {still.by}: {still.reason or 'no reason given'}")
        self._spread_resume(order)
        return order

    def confirm(self, child: Child) -> None:
        """An agent said that it has stopped, or it died."""
        for kill in self._kills:
            kill.confirm(child.name)

    def hear_kill(self, body: dict[str, Any]) -> None:
        """A kill came by pipe or bus; one that holds already is not carried out again."""
        try:
            order = wire.from_json(body)
        except (KeyError, ValueError):
            self._log.warning("kill.malformed")
            return
        if any(k.report.latch.scope == order.scope for k in self._kills):
            return
        if order in self._known or self._holding.is_known(order):
            return
        self._carry(self.kill(order))

    def hear_resume(self, body: dict[str, Any]) -> None:
        """Some supervisor resumed: look at the rows now. The message itself opens nothing, for it
        may be older than the kill that holds.
        """
        self._look.set()

    async def reconcile(self) -> None:
        """Make file and row say the same before the first agent is born: whatever kills, kills."""
        rows, held = await self._rows(), self._holding.by_scope()
        self._rows_seen = rows
        for scope, row in rows.items():
            if row.killed and not (scope in held and held[scope].killed):
                self.file.kill(scope, row.by, row.door, row.reason, row.changed_at)
        for scope, known in held.items():
            if known.killed and not (scope in rows and rows[scope].killed):
                self._owed.put_nowait((known, {}))

    async def watch(self) -> None:
        """Look at the rows every other second: what another machine wrote binds us too, bus or no
        bus.

        Only a change of a row counts, never its time: clocks of two machines differ, and a kill
        must not undo itself because one of them is late.
        """
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._look.wait()
            self._look.clear()
            async with self._writing:
                try:
                    rows = await self._rows()
                except StorageError as error:
                    self._log.info("latch.row.unreadable", error=str(error))
                    continue
                before, self._rows_seen = self._rows_seen, rows
                held = self._holding.by_scope()
            for scope, row in rows.items():
                was_killed = scope in before and before[scope].killed
                is_killed_here = scope in held and held[scope].killed
                if row.killed and not was_killed and not is_killed_here:
                    self.hear_kill(wire.to_json(row))
                elif not row.killed and was_killed and is_killed_here:
                    self._carry(self._follow(row, held))

    async def run(self) -> None:
        """Write rows and audit entries that are owed, however long the store takes."""
        while True:
            order, details = await self._owed.get()
            await self._record(order, details)

    async def _record(self, order: Latch, details: dict[str, Any]) -> None:
        """The row only while the kill holds: one that was lifted meanwhile must not come back."""
        pause_s = _FIRST_PAUSE_S
        while not await self._recorded(order, details):
            # Between two tries a resume gets its turn.
            await asyncio.sleep(pause_s)
            pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)

    async def _recorded(self, order: Latch, details: dict[str, Any]) -> bool:
        async with self._writing:
            try:
                async with self._ground.store.writing(durable=True) as unit:
                    if self._holding.stands(order):
                        await latch.write_row(unit, order)
                    await _audit(unit, order, details)
            except StorageError as error:
                self._log.warning("latch.row.unwritable", error=str(error))
                return False
            if self._holding.stands(order):
                # Seen as killed: when it opens again, somebody resumed.
                self._rows_seen = {**self._rows_seen, order.scope: order}
        return True

    def unwritten(self) -> list[Latch]:
        """Kills that no file tells the agents of: who is born now must be told by pipe."""
        return self._holding.unwritten()

    async def _rows(self) -> dict[str, Latch]:
        async with self._ground.store.reading() as unit:
            return await latch.read_rows(unit)

    async def _clear_rows(self, unit: Unit, order: Latch, seen: Mapping[str, Latch]) -> None:
        """Write the open latch for every scope that it frees.

        Also where no row says killed yet: a kill that is still owed must find a newer row there.
        """
        scopes = {order.scope}
        if order.scope == latch.ALL:
            scopes |= set(await latch.read_rows(unit)) | set(seen)
        for scope in scopes:
            await latch.write_row(unit, replace(order, scope=scope))

    async def _follow(self, order: Latch, seen: Mapping[str, Latch]) -> None:
        """Another supervisor resumed: open the latches that we saw before."""
        try:
            await self._holding.resume(order, seen)
        except (OSError, StorageError) as error:
            self._log.error("latch.unwritable", error=str(error))
            # Seen as killed still: the next look finds the open row again.
            self._rows_seen = {**self._rows_seen, order.scope: replace(order, killed=True)}
            return
        for child in self._children.values():
            child.send({"resume": wire.to_json(order)})

    def _spread_resume(self, order: Latch) -> None:
        for child in self._children.values():
            child.send({"resume": wire.to_json(order)})
        self._publish(RESUME, order)

    def _publish(self, subject: str, order: Latch) -> None:
        bus = self._bus()
        if bus is not None:
            bus.publish(subject, wire.to_json(order))

    async def close(self) -> None:
        """End what is still being carried out; the rows say tomorrow what was owed today."""
        carrying = list(self._carrying)
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)

    def _carry(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)


async def _audit(unit: Unit, order: Latch, details: dict[str, Any]) -> None:
    await audit.append(
        unit,
        agent=SUPERVISOR,
        at=order.changed_at,
        verb="kill" if order.killed else "resume",
        target=order.scope,
        outcome="done",
        reason=order.reason or f"by {order.by}",
        details={"by": order.by, "door": order.door, **details},
        trace_id="",
    )
    await events.steered(unit, order, SUPERVISOR)
