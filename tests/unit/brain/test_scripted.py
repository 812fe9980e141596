"""The scripted model keeps to its script."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.errors import BadAnswer, Overloaded
from brain.model import Capabilities, Completion, Conversation, Message, Model, Role
from brain.models.scripted import Scripted


def asked(text: str = "?") -> Conversation:
    return Conversation(system="", messages=(Message(role=Role.USER, text=text),))


class Pieces:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.second = asyncio.Event()

    def piece(self, text: str) -> None:
        self.texts.append(text)
        if len(self.texts) == 2:
            self.second.set()

    def anew(self) -> None:
        self.texts.clear()


async def test_lines_come_in_order_and_the_last_one_stays() -> None:
    model: Model = Scripted([Completion(text="one"), Completion(text="two")])
    assert [(await model.query(asked())).text for _ in range(3)] == ["one", "two", "two"]


async def test_a_line_may_be_chosen_by_what_is_shown() -> None:
    model = Scripted(lambda shown: Completion(text=shown.messages[-1].text.upper()))
    assert (await model.query(asked("quiet"))).text == "QUIET"


async def test_a_line_may_be_a_failure() -> None:
    model = Scripted([Overloaded("busy", retry_after_s=2.0), Completion(text="now")])
    with pytest.raises(Overloaded, match="busy"):
        await model.query(asked())
    assert (await model.query(asked())).text == "now"


async def test_without_a_line_it_says_so() -> None:
    with pytest.raises(BadAnswer, match="nothing to say"):
        await Scripted([]).query(asked())


async def test_it_keeps_what_it_was_shown_but_not_for_ever() -> None:
    model = Scripted([Completion(text="yes")])
    for number in range(150):
        await model.query(asked(str(number)))
    assert model.times_asked == 150
    assert [c.messages[0].text for c in model.shown] == [str(n) for n in range(50, 150)]


@given(st.text())
def test_the_pieces_are_the_text(text: str) -> None:
    reader = Pieces()
    asyncio.run(Scripted([Completion(text=text)]).query(asked(), reader))
    assert "".join(reader.texts) == text


async def test_without_streaming_a_reader_is_given_nothing() -> None:
    still = Capabilities(tools=False, streaming=False, json_schema=False, context_tokens=1000)
    reader = Pieces()
    model = Scripted([Completion(text="a b")], capabilities=still)
    assert (await model.query(asked(), reader)).text == "a b"
    assert reader.texts == []


async def test_it_can_be_stopped_in_the_middle() -> None:
    reader = Pieces()
    model = Scripted([Completion(text="a b c d e f")], between_s=0.001)
    task = asyncio.create_task(model.query(asked(), reader))
    await asyncio.wait_for(reader.second.wait(), 20)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert 2 <= len(reader.texts) < 6
