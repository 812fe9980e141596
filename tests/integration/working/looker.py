"""An agent that looks around with a model of the test's, on the real guild and store."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bots.answering.looking import Looking
from bots.answering.prompted import PromptedOpenings
from bots.clock import utc_now
from bots.secrets import Redactor
from brain.model import Completion, Model, ToolCall
from brain.models.scripted import CAPABILITIES, Scripted
from brain.prompting.assembling import Assembler
from brain.prompting.fencing import Fence
from brain.prompting.templates import Templates
from storage import record
from storage.core import REPLY, run
from storage.record import NewLine, Owed
from storage.tables import LineKind
from tests.integration.discord.swarm import LOG, ROOT, Member
from tests.integration.sandbox.stage import CAPTAIN_ID, Person, Sandbox

_VIEW = 1 << 10
DONE = Completion(text="I told them.")
SILENT = Completion(text="SILENT")


def posts(text: str, target: str = "discord:#lobby", *more: tuple[str, str]) -> Completion:
    """The model says `text` there, and what is given besides elsewhere."""
    wishes = [(target, text), *more]
    calls = tuple(
        ToolCall(id=f"c{n}", name="post", arguments={"target": where, "text": words})
        for n, (where, words) in enumerate(wishes)
    )
    return Completion(text="", tool_calls=calls)


def calls(name: str, /, **arguments: str) -> Completion:
    """The model calls this tool."""
    return Completion(text="", tool_calls=(ToolCall(id="c", name=name, arguments=arguments),))


@dataclass
class Clock:
    """The real time, and what the test adds to it."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def on(self, **more: float) -> None:
        self.ahead += timedelta(**more)


class Looker:
    """One member of the swarm, its looking, and somebody who reads the guild."""

    def __init__(self, member: Member, sandbox: Sandbox) -> None:
        self.member = member
        self.sandbox = sandbox
        self.person: Person = sandbox.person()
        self.clock = Clock()
        self.shown: list[str] = []

    def with_model(self, model: Model, *, rng: random.Random | None = None) -> Looking:
        """Its looking, as a process that was just born has it."""
        parts = self.member.parts
        openings = PromptedOpenings(
            agent=self.member.spec.name,
            settings=self.member.spec.settings,
            store=self.member.store,
            soul=parts.answerer.thinker.cards.soul_of(self.member.spec.name),  # type: ignore[attr-defined]
            cards=parts.answerer.thinker.cards,
            roster=parts.answerer.roster,
            assembler=Assembler(
                Templates(ROOT / "prompts"), Fence(b"k" * 32), Redactor(["hunter2-secret"]).redact
            ),
            capabilities=CAPABILITIES,
            clock=self.clock,
        )
        return Looking(
            dataclasses.replace(parts.answerer.thinker, model=model, clock=self.clock),
            openings,
            {"discord": self.member.transport},
            latch=lambda: self.member.switch.latch,
            rng=rng or random.Random(1),
            log=LOG,
        )

    async def turn(self, model: Model, question: str = "captain: please", **line: Any) -> None:
        """Somebody asks it, and it answers."""
        owed = Owed(self.member.spec.name, "discord:#lobby", 30)
        await self.said(question, owed=(owed,), **line)
        [work] = await self.member.inbox(self.member.spec.name)
        answerer = self.member.parts.answerer
        thinker = dataclasses.replace(answerer.thinker, model=model)
        await dataclasses.replace(answerer, thinker=thinker).turn([work])

    async def channel(self, name: str) -> str:
        """Its id."""
        ear = await self.sandbox.listening()
        return str(next(c["id"] for c in ear.guild["channels"] if c["name"] == name))

    async def said(self, text: str, channel: str = "#lobby", **more: Any) -> int:
        """Somebody says it, and a listener wrote it down."""
        given: dict[str, Any] = {"sender": "ada", "account": "7", "agent": None, "owed": ()} | more
        line = NewLine(
            network=given.pop("network", "discord"),
            channel=channel,
            kind=given.pop("kind", LineKind.SAID),
            text=text,
            said_at=given.pop("at", self.clock()),
            heard_at=self.clock(),
            heard_by="captain",
            trace_id="t",
            **given,
        )
        async with self.member.store.writing() as unit:
            message_id = await record.keep_new(unit, line)
        assert message_id is not None
        return message_id

    async def history(self, channel: str = "lobby") -> list[str]:
        """What agents said there, oldest first."""
        messages = reversed(await self.person.history(await self.channel(channel)))
        return [m["content"] for m in messages if m["author"].get("bot")]

    async def replies(self) -> list[Any]:
        async with self.member.store.reading() as unit:
            query = sa.select(REPLY.c.target, REPLY.c.text, REPLY.c.state, REPLY.c.hops)
            return [tuple(row) for row in await run(unit, query.order_by(REPLY.c.id))]

    async def sql(self, statement: str) -> None:
        async with self.member.store.writing() as unit:
            await run(unit, sa.text(statement))

    async def closes(self, channel: str) -> None:
        """From now on it and the guild's owner alone may read it."""
        path = f"/channels/{await self.channel(channel)}/permissions"
        ours = {"type": 1, "allow": str(_VIEW), "deny": "0"}
        await self.person.ask("PUT", f"{path}/{CAPTAIN_ID}", json=ours)
        others = {"type": 0, "allow": "0", "deny": str(_VIEW)}
        await self.person.ask("PUT", f"{path}/{self.sandbox.guild_id}", json=others)
        # What comes after it says that it has arrived.
        await self.person.say(await self.channel("lobby"), f"closed {channel}")
        await self.member.until(lambda: not self.member.transport.is_open(f"#{channel}"))


def told(model: Scripted, at: int = -1) -> str:
    """All that the model was shown in one query."""
    conversation = model.shown[at]
    return "\n".join([conversation.system, *(m.text for m in conversation.messages)])


#: an agent of this name and these settings comes
Enter = Callable[..., Awaitable[Looker]]
