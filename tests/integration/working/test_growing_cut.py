"""An answer that is cut off while it is shown: people see it, and the record says it."""

from __future__ import annotations

import asyncio
import dataclasses
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from bots.answering.answerer import Answerer
from bots.answering.mouth import Mouth
from bots.transport import MORE
from brain.model import Completion, Model, Reader
from storage.core import AUDIT, run
from storage.errors import StoreUnavailable
from tests.integration.working.scene import Scene, Stepping, Writing


async def cut(turn: asyncio.Task[None]) -> None:
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn


async def test_the_last_message_that_is_shown_says_that_more_was_to_come(scene: Scene) -> None:
    turn = scene.thinks(Writing("word " * 900))
    [first] = await scene.shown()
    assert first["content"].endswith(MORE)
    assert len(first["content"]) > 1_900
    await cut(turn)
    shown = await scene.shown()
    assert shown[-1]["content"].endswith(MORE)
    assert await scene.replies() == [(message["content"], "unknown") for message in shown]


async def test_what_a_dead_process_began_to_show_is_no_answer(scene: Scene) -> None:
    turn = scene.thinks(Writing("word " * 900))
    await scene.shown(3)
    before = await scene.shown(3)
    # It lives on here, but writes nothing more: its successor finds what it left.
    await scene.succeeded()
    assert [state for _, state in await scene.replies()] == ["unknown"] * 3
    assert await scene.state() == "unknown"
    assert len(await scene.shown(3)) == 3
    assert before[-1]["content"].endswith(MORE)
    await cut(turn)


async def test_who_is_stopped_while_the_last_edit_waits_leaves_nothing_open(scene: Scene) -> None:
    model = Writing("The mixer hums", " at fifty hertz.")
    turn = scene.thinks(model)
    await scene.shown()
    model.go.set()
    await asyncio.sleep(0.05)
    await cut(turn)
    assert [state for _, state in await scene.replies()] == ["unknown"]
    [left] = await scene.shown()
    assert left["content"].endswith(MORE)


async def test_who_is_stopped_twice_leaves_nothing_open(scene: Scene) -> None:
    turn = scene.thinks(Writing("The mixer hums"))
    await scene.shown()
    turn.cancel()
    await asyncio.sleep(0)
    await cut(turn)
    async with asyncio.timeout(20):
        cut_off = [(f"The mixer hums{MORE}", "unknown")]
        while await scene.replies() != cut_off:  # noqa: ASYNC110 - it is the database that changes
            await asyncio.sleep(0.02)


async def test_silence_that_another_model_chose_is_not_spoken(scene: Scene) -> None:
    gone = asyncio.Event()

    async def falls_back(reader: Reader) -> Completion:
        reader.piece("The mixer")
        await gone.wait()
        reader.anew()
        reader.piece("SILENT")
        return Completion(text="SILENT")

    turn = scene.thinks(Stepping([falls_back]))
    await scene.shown()
    gone.set()
    await turn
    assert await scene.shown(0) == []
    assert await scene.replies() == []
    assert await scene.state() == "silent"


@pytest.mark.parametrize("dressed", ["`SILENT`", "**Silent**", "(SILENT)", "_silent._"])
async def test_silence_is_not_shown_however_it_is_dressed(scene: Scene, dressed: str) -> None:
    async def letter_by_letter(reader: Reader) -> Completion:
        for letter in dressed:
            reader.piece(letter)
            await asyncio.sleep(0)
        return Completion(text=dressed)

    await scene.thinks(Stepping([letter_by_letter]))
    assert await scene.shown(0) == []
    assert await scene.replies() == []
    assert await scene.state() == "silent"
    async with scene.captain.store.reading() as unit:
        sends = await run(unit, sa.select(AUDIT.c.target).where(AUDIT.c.verb == "send"))
        # It was not even begun, and taken back again.
        assert sends.all() == []


@dataclass(frozen=True)
class Slow(Mouth):
    """Has written down that a line begins, and does not know it yet."""

    written: asyncio.Event
    goes_on: asyncio.Event

    async def begin(self, *given: Any, **named: Any) -> list[int]:
        ids = await super().begin(*given, **named)
        self.written.set()
        await self.goes_on.wait()
        return ids


def slowly(answerer: Answerer, written: asyncio.Event, goes_on: asyncio.Event) -> Answerer:
    mouth = answerer.replying.mouth
    fields = {f.name: getattr(mouth, f.name) for f in dataclasses.fields(mouth) if f.init}
    slow = Slow(**fields, written=written, goes_on=goes_on)
    return dataclasses.replace(
        answerer, replying=dataclasses.replace(answerer.replying, mouth=slow)
    )


async def test_what_was_written_down_and_never_left_is_forgotten_and_asked_again(
    scene: Scene,
) -> None:
    written, goes_on = asyncio.Event(), asyncio.Event()

    async def fails(reader: Reader) -> Completion:
        reader.piece("The mixer hums")
        await written.wait()
        asyncio.get_running_loop().call_later(0.1, goes_on.set)
        raise StoreUnavailable("it is locked by another process")

    model: Model = Stepping([fails, Completion(text="Fifty hertz.")])
    async with scene.works(slowly(scene.answerer(model), written, goes_on)):
        assert await scene.ends() == "answered"
    assert await scene.replies() == [("Fifty hertz.", "sent")]
    assert [message["content"] for message in await scene.shown()] == ["Fifty hertz."]
