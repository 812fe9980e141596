"""What an agent does when it is killed or resumed: stop, say so, and write it down afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from bots.agent.supervision import Supervision
from bots.answering.worklist import Worklist
from bots.bus import CONFIRM, KILL, Bus
from bots.control import wire
from bots.control.switch import KillSwitch
from bots.insist import insist
from bots.lifeline import Message
from bots.tasks import Tasks
from storage import audit
from storage.latch import Latch
from storage.store import Store


@dataclass(frozen=True)
class Obedience:
    """Joins the kill switch to the rest of one agent."""

    agent: str
    store: Store
    bus: Bus
    supervision: Supervision
    tasks: Tasks
    clock: Callable[[], datetime]
    log: FilteringBoundLogger
    switch: KillSwitch
    worklist: Worklist

    def spread(self, latch: Latch) -> None:
        """A kill came in through this agent: pass it on by pipe and bus."""
        self.supervision.pass_on_kill(latch)
        self.bus.publish(KILL, wire.to_json(latch))

    def killed(self, latch: Latch) -> None:
        """Stop all work, say so at once, and write it down when the store takes it."""
        self.worklist.stop_all(latch.told)
        self.supervision.confirm(latch)
        self.supervision.tell()
        self.bus.publish(f"{CONFIRM}.{self.agent}", wire.to_json(latch))
        self.tasks.start(self._audit("killed", latch))

    def released(self, before: Latch) -> None:
        """The latch is open again: go on."""
        self.supervision.tell()
        self.tasks.start(self._audit("resumed", before))
        self.worklist.nudge()

    def heard_on_bus(self, body: Message) -> None:
        """A kill came by the bus."""
        try:
            self.switch.apply(wire.from_json(body))
        except (KeyError, ValueError):
            self.log.warning("kill.malformed")

    async def _audit(self, verb: str, latch: Latch) -> None:
        await insist(
            self.store,
            lambda unit: audit.append(
                unit,
                agent=self.agent,
                at=self.clock(),
                verb=verb,
                target=latch.scope,
                outcome="done",
                reason=latch.reason or f"by {latch.by}",
                details={"by": latch.by, "door": latch.door},
                trace_id="",
            ),
            self.log,
            durable=True,
        )
