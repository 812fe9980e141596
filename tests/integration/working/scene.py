"""A question that was heard in the guild, models that play their part, and whoever looks on."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog

from bots.answering.answerer import Answerer
from bots.answering.recovery import Recovery
from bots.answering.worklist import Worklist
from bots.clock import utc_now
from bots.sandbox.server import build
from brain.model import Capabilities, Completion, Conversation, Model, Reader
from brain.tools.registry import AnyTool
from storage import inbox, record
from storage.core import REPLY, run
from storage.inbox import Work
from storage.record import NewLine, Owed
from storage.tables import LineKind
from tests.integration.discord.swarm import Member, member
from tests.integration.sandbox.stage import Person, Sandbox, config, serving

_OPEN = {"queued", "working"}
_CAN = Capabilities(tools=True, streaming=True, json_schema=False, context_tokens=8_000)


@dataclass
class Writing:
    """A model that writes these pieces, the last ones when `go` is set; `fails` ends it instead."""

    first: str
    rest: str = ""
    fails: Exception | None = None
    go: asyncio.Event = field(default_factory=asyncio.Event)
    name: str = "writing"
    label: str = "a test's model"
    capabilities: Capabilities = _CAN

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        assert reader is not None
        reader.piece(self.first)
        await self.go.wait()
        if self.fails is not None:
            raise self.fails
        reader.piece(self.rest)
        return Completion(text=self.first + self.rest)


Step = Completion | Exception | Callable[[Reader], Awaitable[Completion]]


@dataclass
class Stepping:
    """A model that does one thing at each call; the last one for ever."""

    steps: Sequence[Step]
    asked: int = 0
    name: str = "stepping"
    label: str = "a test's model"
    capabilities: Capabilities = _CAN

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        assert reader is not None
        step = self.steps[min(self.asked, len(self.steps) - 1)]
        self.asked += 1
        if isinstance(step, Exception):
            raise step
        if not isinstance(step, Completion):
            return await step(reader)
        if step.text:
            reader.piece(step.text)
        return step


@dataclass
class Scene:
    """A question that was heard, and whoever looks at the channel."""

    captain: Member
    person: Person
    channel: str
    work: Work

    def answerer(self, model: Model, *tools: AnyTool) -> Answerer:
        """The agent's, with another model and these tools."""

        async def given() -> Sequence[AnyTool]:
            return tools

        answerer = self.captain.parts.answerer
        thinker = dataclasses.replace(answerer.thinker, model=model, tools=given)
        return dataclasses.replace(answerer, thinker=thinker)

    def thinks(self, model: Model) -> asyncio.Task[None]:
        """The turn begins."""
        return asyncio.create_task(self.answerer(model).turn([self.work]))

    @asynccontextmanager
    async def works(self, answerer: Answerer) -> AsyncIterator[Worklist]:
        """The agent works through its inbox."""
        worklist = Worklist(
            self.captain.store,
            "captain",
            1,
            clock=utc_now,
            turn=answerer.turn,
            command=lambda work: answerer.turn([work]),
            outlives_kill=lambda _: False,
            connected=lambda: ["discord"],
            is_nudged=lambda: True,
            coalesce_s=0.01,
            log=structlog.get_logger(),
        )
        working = asyncio.create_task(worklist.run())
        try:
            yield worklist
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def succeeded(self) -> None:
        """The next process of this agent has looked at what this one left."""
        captain = self.captain
        recovery = Recovery(
            captain.store,
            captain.parts.guard,
            {"discord": captain.transport},
            "captain",
            2,
            clock=utc_now,
            log=structlog.get_logger(),
        )
        assert not await recovery.look()

    async def shown(self, count: int = 1) -> list[dict[str, Any]]:
        """The answer's messages, oldest first, as soon as there are so many."""
        async with asyncio.timeout(10):
            while True:
                history = reversed(await self.person.history(self.channel))
                found = [m for m in history if m["author"]["username"] == "captain"]
                if len(found) >= count:
                    return found

    async def replies(self) -> list[tuple[str, str]]:
        async with self.captain.store.reading() as unit:
            rows = await run(unit, sa.select(REPLY.c.text, REPLY.c.state).order_by(REPLY.c.id))
            return [(row.text, row.state) for row in rows]

    async def state(self) -> str:
        async with self.captain.store.reading() as unit:
            found = await run(unit, sa.text("SELECT state FROM inbox"))
            return str(found.scalar_one())

    async def ends(self) -> str:
        """The state in which the question ends."""
        async with asyncio.timeout(15):
            while (state := await self.state()) in _OPEN:  # noqa: ASYNC110 - in the database
                await asyncio.sleep(0.02)
        return state


@asynccontextmanager
async def a_scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with serving(build(config())) as sandbox, member(sandbox, tmp_path) as captain:
        assert not await captain.parts.recovery.look()
        person = sandbox.person()
        lobby = await _lobby(sandbox)
        asked = await person.say(lobby, "captain: who hums?")
        line = NewLine(
            network="discord",
            channel="#lobby",
            sender="you",
            account="7",
            kind=LineKind.SAID,
            text="captain: who hums?",
            said_at=utc_now(),
            heard_at=utc_now(),
            heard_by="captain",
            msgid=asked["id"],
            trace_id="t",
            owed=(Owed("captain", "discord:#lobby", 30),),
        )
        async with captain.store.writing() as unit:
            await record.keep_new(unit, line)
            [work] = await inbox.waiting(unit, "captain")
        yield Scene(captain, person, lobby, work)


async def _lobby(sandbox: Sandbox) -> str:
    ear = await sandbox.listening()
    return str(next(c["id"] for c in ear.guild["channels"] if c["name"] == "lobby"))
