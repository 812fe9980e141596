"""One agent's brain, assembled: model, tools, guard, soul, and the sessions it remembers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from bots.roster import Roster
from bots.settings import Settings
from brain import souls
from brain.errors import SoulMissing
from brain.guard import Guard
from brain.loop import Answer, Exchange, Limits, Loop, Question
from brain.model import Model, Occasion, Reader
from brain.souls import Soul
from brain.tools.catalogue import TOOLS
from brain.tools.context import AgentCard, Context
from brain.tools.registry import Toolbox, target_of
from storage import agents, sessions
from storage.acts import Act
from storage.inbox import Work
from storage.latch import Latch
from storage.store import Store
from storage.tables import HeartbeatTier
from storage.unit import Unit

#: earlier exchanges of the session that a question is asked with
HISTORY = 4
#: work without a beat for 90 s counts as dead
_BEAT_EVERY_S = 15.0
#: the question that a digest of earlier turns answers
_EARLIER = "What have we talked about so far?"


class Asking(Protocol):
    """What a tool may know of who asks: an inbox row, or a command."""

    @property
    def sender(self) -> str: ...

    @property
    def network(self) -> str: ...

    @property
    def channel(self) -> str: ...

    @property
    def session(self) -> str: ...

    @property
    def trace_id(self) -> str: ...

    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class Exchanged:
    """A question and what was answered."""

    asked: str
    answer: Answer
    started_at: datetime


@dataclass(frozen=True)
class Thinker:
    agent: str
    settings: Settings
    store: Store
    guard: Guard
    model: Model
    soul: Soul
    cards: Callable[[], Sequence[AgentCard]]
    latch: Callable[[str], Latch | None]
    clock: Callable[[], datetime]
    #: everybody on a network may read this channel: network, channel → yes or no
    is_open: Callable[[str, str], bool]

    async def think(self, work: Work, text: str, reader: Reader | None = None) -> Answer:
        """Answer one question; `reader` gets it while it is made. Raises `Refused`, `ModelFailed`,
        `StorageError`.
        """
        limits = self.settings.limits
        loop = Loop(
            self.model,
            self._toolbox(work, text),
            self.guard,
            Limits(steps=limits.max_steps, time_s=limits.turn_timeout_s),
            time.monotonic,
            system=self.soul.body,
            on_progress=_Pulse(self, work),
        )
        question = Question(
            asker=work.sender,
            text=text,
            place=work.session,
            channel=_channel(work),
            agent=self.agent,
            trace_id=work.trace_id,
            history=await self._history(work),
            occasion=Occasion(
                agent=self.agent,
                session=work.session,
                task=f"inbox:{work.inbox_id}",
                trace_id=work.trace_id,
            ),
        )
        return await loop.run(question, reader)

    async def use_tool(
        self, work: Asking, name: str, arguments: Mapping[str, Any], command: str
    ) -> str:
        """Run one tool for a command; raises `Refused`, `ToolError`, `StorageError`."""
        act = Act(
            agent=self.agent,
            verb="tool",
            target=target_of(name),
            reason=f"{work.sender} commanded {command} in {work.session}",
            trace_id=work.trace_id,
            details={"command": command},
        )
        permit = await self.guard.permit(act)
        result = await self._toolbox(work, work.text).call(name, arguments, permit)
        return result.text

    async def remember(self, unit: Unit, work: Work, exchanged: Exchanged) -> None:
        """Keep the exchange as a turn of its session, in the caller's transaction."""
        finished = self.clock()
        session_id = await sessions.open_session(unit, self.agent, work.session, finished)
        await sessions.add_turn(
            unit,
            session_id,
            inbox_id=work.inbox_id,
            asker=work.sender,
            asked=exchanged.asked,
            answer=exchanged.answer.text,
            model=exchanged.answer.model,
            steps=exchanged.answer.steps,
            started_at=exchanged.started_at,
            finished_at=finished,
            trace_id=work.trace_id,
        )

    async def beat(self, work: Work) -> None:
        """The functional heartbeat: this work is alive."""
        async with self.store.writing() as unit:
            await agents.beat(
                unit,
                self.agent,
                HeartbeatTier.FUNCTIONAL,
                self.clock(),
                claim=f"inbox {work.inbox_id}",
            )

    async def _history(self, work: Work) -> tuple[Exchange, ...]:
        async with self.store.reading() as unit:
            known = await sessions.history(unit, self.agent, work.session, HISTORY)
        earlier = (Exchange(asked=_EARLIER, answer=known.digest),) if known.digest else ()
        return (*earlier, *(Exchange(asked=t.asked, answer=t.answer) for t in known.turns))

    def _toolbox(self, work: Asking, asked: str) -> Toolbox:
        context = Context(
            store=self.store,
            agent=self.agent,
            network=work.network,
            channel=_channel(work),
            asker=work.sender,
            asked=asked,
            now=self.clock,
            monotonic=time.monotonic,
            roster=self.cards,
            latch=self.latch,
            command_prefix=self.settings.irc.command_prefix,
            is_open=self.is_open,
        )
        return Toolbox(TOOLS, context)


class _Pulse:
    """The functional heartbeat of one turn; the claim was the first beat, so the next can wait."""

    def __init__(self, thinker: Thinker, work: Work) -> None:
        self._thinker = thinker
        self._work = work
        self._last_s = time.monotonic()

    async def __call__(self) -> None:
        if time.monotonic() - self._last_s >= _BEAT_EVERY_S:
            await self._thinker.beat(self._work)
            self._last_s = time.monotonic()


class Cards:
    """What the agents tell about each other: settings, souls and the nicks of the moment."""

    def __init__(self, settings: Settings, prompts: Path, roster: Roster) -> None:
        self._settings = settings
        self._roster = roster
        self._folder = prompts / "souls"
        self._descriptions: dict[str, str] = {}
        for agent in settings.agents:
            # Another agent's missing soul is that one's trouble.
            with suppress(SoulMissing):
                self._descriptions[agent.name] = self.soul_of(agent.name).description

    def soul_of(self, name: str) -> Soul:
        """Raises `SoulMissing`."""
        return souls.load(self._folder, self._settings.agent(name).soul or name)

    def __call__(self) -> Sequence[AgentCard]:
        return [
            AgentCard(
                name=a.name,
                role=a.role,
                capabilities=a.capabilities,
                description=self._descriptions.get(a.name, a.role),
                nick=self._roster.nick_of(a.name),
            )
            for a in self._settings.agents
        ]


def _channel(work: Asking) -> str | None:
    return None if work.channel.startswith("nick:") else work.channel
