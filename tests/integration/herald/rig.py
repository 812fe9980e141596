"""A herald with a real store and guard, whose networks write on paper."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from bots.answering.mouth import Mouth
from bots.herald.herald import Herald
from bots.messages import Delivery, Mark, Target, TransportHealth
from bots.secrets import Redactor
from bots.settings import Settings
from brain.guard import Guard, LatchPolicy
from storage import agents, audit, happenings, project_log, record
from storage.acts import Permit
from storage.latch import Latch
from storage.lines import NewLine, Owed
from storage.project_tables import EntryKind, ProjectEntry
from storage.store import Store
from storage.tables import AgentState, LineKind

TEN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
CHANNELS = ("#lobby", "#Agent-Logs", "#inter-agent", "#daily-standup")
LOG = structlog.get_logger()


class Paper:
    """A network that writes down what is said; `fails` is what becomes of the next line instead."""

    has_replies = knows_keys = can_edit = False

    def __init__(self, network: str = "irc", channels: tuple[str, ...] = CHANNELS) -> None:
        self.network = network
        self.said: list[tuple[str, str]] = []
        self.fails: Delivery | None = None
        self.hangs = False
        self.reached = asyncio.Event()
        self.closed: set[str] = set()
        self.health = TransportHealth(connected=True, nick="captain", channels=channels)

    def split(self, target: Target, text: str) -> list[str]:
        return [text]

    def is_open(self, channel: str) -> bool:
        return channel not in self.closed

    async def say(
        self,
        target: Target,
        parts: Sequence[str],
        permit: Permit,
        *,
        keys: Sequence[str],
        answers: str | None = None,
    ) -> list[Delivery]:
        permit.check("send", str(target), now_s=time.monotonic())
        if self.fails is not None:
            failed, self.fails = self.fails, None
            return [failed]
        self.said += [(target.name, part) for part in parts]
        self.reached.set()
        if self.hangs:
            await asyncio.Event().wait()
        return [Delivery(sent=True, proof="pong") for _ in parts]

    async def run(self) -> None: ...

    async def stop(self, farewell: str) -> None: ...

    async def fetch_missed(self, channel: str, after: str | datetime) -> None: ...

    async def mark(self, target: Target, message: str, mark: Mark, permit: Permit) -> None: ...

    async def typing(self, target: Target, permit: Permit) -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the herald uses {name}, which this network has not")

    def taken(self, channel: str) -> list[str]:
        """What was said in a channel since the last look."""
        found = [text for where, text in self.said if where == channel]
        self.said = [line for line in self.said if line[0] != channel]
        return found


class Swarm:
    """Three agents' rows, and the captain's herald over them."""

    def __init__(self, store: Store, *papers: Paper, **settings: Any) -> None:
        self.store = store
        self.now = TEN
        self.latch: Latch | None = None
        self.papers = papers or (Paper(),)
        names = ("captain", "tech-lead", "buyer")
        self.settings = Settings.model_validate(
            {"agents": [{"name": n, "role": n} for n in names], **settings}
        )
        self.herald = self.reborn()

    def reborn(self) -> Herald:
        """The herald of another process, with the same store."""
        guard = Guard(self.store, [LatchPolicy(lambda _: self.latch)], time.monotonic, self.clock)
        networks: dict[str, Any] = {p.network: p for p in self.papers}
        self.herald = Herald(
            self.store,
            Mouth(self.store, guard, networks, "captain", self.clock, LOG, lambda: True),
            1,
            self.settings,
            latch=lambda: self.latch,
            redact=Redactor().redact,
            clock=self.clock,
            log=LOG,
        )
        return self.herald

    def clock(self) -> datetime:
        # No two looks at a clock show the same.
        self.now += timedelta(microseconds=1)
        return self.now

    def later(self, **passed: float) -> None:
        self.now += timedelta(**passed)

    async def enrol(self, state: AgentState = AgentState.READY, reason: str = "") -> None:
        """Everybody has a row, run by somebody."""
        for agent in self.settings.agents:
            async with self.store.writing() as unit:
                await agents.enrol(unit, agent.name, agent.role, self.now)
            await self.born(agent.name, state, reason)

    async def born(self, name: str, state: AgentState = AgentState.READY, reason: str = "") -> None:
        """A new process of this agent."""
        async with self.store.writing() as unit:
            epoch = await agents.take(unit, name, "s", now=self.now, ttl_s=30)
            await agents.report(unit, name, epoch, now=self.now, state=state, reason=reason)

    async def turned(self, name: str, epoch: int, state: AgentState, reason: str = "") -> None:
        async with self.store.writing() as unit:
            await agents.report(unit, name, epoch, now=self.now, state=state, reason=reason)

    async def decided(self, agent: str, outcome: str, verb: str, target: str, **more: Any) -> None:
        async with self.store.writing() as unit:
            await audit.append(
                unit,
                agent=agent,
                at=self.now,
                verb=verb,
                target=target,
                outcome=outcome,
                reason=more.pop("reason", "because"),
                details=more,
                trace_id="t",
            )

    async def killed(self, scope: str = "buyer", reason: str = "it loops") -> None:
        more = {"by": "mara", "door": "irc:#lobby", "reason": reason}
        await self.decided("supervisor", "done", "kill", scope, **more)

    async def wrote(self, kind: EntryKind = EntryKind.RESULT, **more: str) -> None:
        """A line of the project log, of the buyer's for alice."""
        entry = ProjectEntry(
            at=self.now, agent="buyer", by="alice", kind=kind, text="", trace_id="t"
        )
        entry.ref = "delegation:D-1"
        for name, value in more.items():
            setattr(entry, name, value)
        entry.network = "irc" if entry.channel else ""
        async with self.store.writing() as unit:
            await project_log.add(unit, entry)

    async def heard(self, said_by: str | None, to: str, text: str, channel: str = "#lobby") -> int:
        """A line that `to` owes a look; the id of its inbox row."""
        line = NewLine(
            network="irc",
            channel=channel,
            sender=said_by or "alice",
            kind=LineKind.SAID,
            text=text,
            said_at=self.now,
            heard_at=self.now,
            heard_by=to,
            agent=said_by,
            trace_id="abcd",
            owed=(Owed(to, f"irc:{channel}", 30),),
        )
        async with self.store.writing() as unit:
            await record.keep_new(unit, line)
            return await _last_inbox(unit)

    def only(self) -> Paper:
        [paper] = self.papers
        return paper


async def _last_inbox(unit: Any) -> int:
    return (await happenings.last(unit)).inbox
