"""An answer that is shown in the guild while the model still writes it."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from bots.clock import utc_now
from bots.transport import MORE
from brain.errors import Overloaded
from storage import record
from storage.core import MESSAGE, run
from storage.record import NewLine
from storage.tables import LineKind
from tests.integration.working.scene import Scene, Writing


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


async def test_a_word_more_does_not_cost_the_whole_once_more(scene: Scene) -> None:
    answerer = scene.captain.parts.answerer
    assert scene.work.inbox_id in await answerer.claim([scene.work])
    growing = answerer.replying.growing(scene.work, "who hums?")
    assert growing is not None
    shaped: list[int] = []
    shape = growing.shape

    def counted(said: str) -> str:
        shaped.append(len(said))
        return shape(said)

    growing.shape = counted
    for number in range(400):
        growing.piece(f"{number} ")
        if number % 10 == 0:
            await asyncio.sleep(0)
    text = " ".join(map(str, range(400)))
    deliveries = await growing.finish(text)
    assert all(delivery.sent for delivery in deliveries)
    messages = await scene.shown(len(deliveries))
    assert " ".join(message["content"] for message in messages) == text
    assert len(shaped) < 10
