"""An answer that is shown in the guild while the model still writes it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bots.answering.growing import MORE
from bots.clock import utc_now
from bots.sandbox.server import build
from brain.errors import Overloaded
from brain.model import Capabilities, Completion, Conversation, Reader
from storage import inbox, record
from storage.core import MESSAGE, REPLY, run
from storage.inbox import Work
from storage.record import NewLine, Owed
from storage.tables import LineKind
from tests.integration.discord.swarm import Member, member
from tests.integration.sandbox.stage import Person, Sandbox, config, serving

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


@dataclass
class Scene:
    """A question that was heard, and whoever looks at the channel."""

    captain: Member
    person: Person
    channel: str
    work: Work

    def thinks(self, model: Writing) -> asyncio.Task[None]:
        """The turn begins."""
        answerer = self.captain.parts.answerer
        thinker = dataclasses.replace(answerer.thinker, model=model)
        return asyncio.create_task(dataclasses.replace(answerer, thinker=thinker).turn([self.work]))

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


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
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


async def test_the_beginning_is_shown_while_the_rest_is_written(scene: Scene) -> None:
    model = Writing("The mixer hums", " at 50 Hz.\nsecretary: look")
    turn = scene.thinks(model)
    [message] = await scene.shown()
    assert message["content"] == f"The mixer hums{MORE}"
    assert await scene.replies() == [(f"The mixer hums{MORE}", "sending")]
    model.go.set()
    await turn
    [whole] = await scene.shown()
    assert whole["id"] == message["id"]
    assert whole["content"] == "The mixer hums at 50 Hz.\nsecretary: look"
    assert whole["message_reference"]["message_id"] == scene.work.msgid
    assert await scene.replies() == [(whole["content"], "sent")]
    assert await scene.state() == "answered"


async def test_what_was_heard_of_it_becomes_the_whole_in_the_record(scene: Scene) -> None:
    model = Writing("The mixer", " hums.")
    turn = scene.thinks(model)
    [message] = await scene.shown()
    line = NewLine(
        network="discord",
        channel="#lobby",
        sender="captain",
        kind=LineKind.SAID,
        text=message["content"],
        said_at=utc_now(),
        heard_at=utc_now(),
        heard_by="rook",
        msgid=message["id"],
        agent="captain",
        trace_id="t",
    )
    async with scene.captain.store.writing() as unit:
        await record.keep_new(unit, line)
    model.go.set()
    await turn
    async with scene.captain.store.writing() as unit:
        query = sa.select(MESSAGE.c.text, MESSAGE.c.hops).where(MESSAGE.c.agent == "captain")
        assert (await run(unit, query)).all() == [("The mixer hums.", 1)]


async def test_a_long_one_goes_on_in_further_messages_each_recorded(scene: Scene) -> None:
    model = Writing("word " * 300, "more " * 300)
    turn = scene.thinks(model)
    await scene.shown()
    model.go.set()
    await turn
    messages = await scene.shown(2)
    assert [text for text, _ in await scene.replies()] == [m["content"] for m in messages]
    assert {state for _, state in await scene.replies()} == {"sent"}


async def test_who_fails_in_the_middle_says_so_in_its_place(scene: Scene) -> None:
    model = Writing("The mixer", fails=Overloaded("the test's model is overloaded"))
    turn = scene.thinks(model)
    [message] = await scene.shown()
    model.go.set()
    await turn
    [told] = await scene.shown()
    assert told["id"] == message["id"]
    assert told["content"] == "I cannot answer that now: the test's model is overloaded"


async def test_what_was_stopped_stays_as_it_was_and_is_called_unknown(scene: Scene) -> None:
    turn = scene.thinks(Writing("The mixer"))
    [message] = await scene.shown()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    [left] = await scene.shown()
    assert left["content"] == message["content"] == f"The mixer{MORE}"
    assert await scene.replies() == [(f"The mixer{MORE}", "unknown")]
