"""The loop with a scripted model: what goes back to it, and what ends the turn."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from brain.errors import Refused
from brain.guard import Guard, Refusal
from brain.loop import Exchange, Limits, Loop
from brain.model import (
    Capabilities,
    Completion,
    Conversation,
    Message,
    Reader,
    Role,
    ToolCall,
)
from storage import audit
from storage.acts import Act
from storage.latch import Latch
from storage.unit import Unit
from tests.integration.brain.stage import NOW, Brain, question

CAPABILITIES = Capabilities(tools=True, streaming=False, json_schema=False, context_tokens=1000)


@dataclass
class Scripted:
    """A model that says what it was given, one completion a query, and keeps what it was shown."""

    script: list[Completion]
    shown: list[Conversation] = field(default_factory=list)
    name: str = "scripted"
    label: str = "script"
    capabilities: Capabilities = CAPABILITIES

    async def query(
        self, conversation: Conversation, reader: Reader | None = None
    ) -> Completion:
        self.shown.append(conversation)
        return self.script[min(len(self.shown), len(self.script)) - 1]


class Silent(Scripted):
    """A model that never answers, and notes when it is told to stop."""

    started: asyncio.Event
    stopped: bool = False

    async def query(
        self, conversation: Conversation, reader: Reader | None = None
    ) -> Completion:
        self.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped = True
        raise AssertionError


def silent() -> Silent:
    model = Silent([])
    model.started = asyncio.Event()
    return model


def calls(*wanted: tuple[str, dict[str, Any]]) -> Completion:
    return Completion(
        tool_calls=tuple(
            ToolCall(id=f"c{n}", name=name, arguments=arguments)
            for n, (name, arguments) in enumerate(wanted)
        )
    )


def results(model: Scripted) -> list[Message]:
    return [m for m in model.shown[-1].messages if m.role is Role.TOOL]


async def test_a_tool_is_called_and_its_lines_are_the_answers_evidence(brain: Brain) -> None:
    model = Scripted([calls(("search", {"query": "windscreen"})), Completion(text="yusuf did")])
    answer = await brain.loop(model).run(
        question("who needs one?", Exchange(asked="a", answer="b"))
    )
    assert (answer.text, answer.steps, answer.model) == ("yusuf did", 2, "scripted")
    assert len(answer.evidence_ids) == 1
    assert [m.text for m in model.shown[0].messages] == ["a", "b", "who needs one?"]
    assert "does anyone have a spare windscreen" in results(model)[0].text
    async with brain.store.reading() as unit:
        (entry,) = await audit.entries(unit, "captain", 10)
    assert (entry.verb, entry.target, entry.trace_id) == ("tool", "tool:search", "trace-1")
    assert "windscreen" not in entry.details


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("serach", {}, "there is no tool 'serach'; did you mean 'search'?"),
        ("search", {"qurey": "x"}, "no argument 'qurey'; did you mean 'query'?"),
        ("search", {"query": "x", "channel": "#nowhere"}, "I know no channel #nowhere"),
        ("summary", {"hours": -1}, "'hours' must be more than 0"),
    ],
)
async def test_a_bad_call_goes_back_as_a_readable_error(
    brain: Brain, name: str, arguments: dict[str, Any], sentence: str
) -> None:
    model = Scripted([calls((name, arguments)), Completion(text="sorry")])
    assert (await brain.loop(model).run(question("?"))).text == "sorry"
    (result,) = results(model)
    assert result.is_error
    assert sentence in result.text


async def test_several_calls_of_one_step_are_decided_together_and_answered_in_order(
    brain: Brain,
) -> None:
    model = Scripted([calls(("now", {}), ("seen", {"nick": "quill"})), Completion(text="done")])
    await brain.loop(model).run(question("?"))
    first, second = results(model)
    assert (first.tool_call_id, second.tool_call_id) == ("c0", "c1")
    assert "15:00 UTC" in first.text
    assert "quill" in second.text


async def test_at_the_step_limit_it_says_what_it_has(brain: Brain) -> None:
    model = Scripted([calls(("now", {}))])
    answer = await brain.loop(model, Limits(steps=2)).run(question("?"))
    assert answer.steps == 2
    assert answer.text.startswith("I stopped after 2 steps; this is what I have:\nIt is 15:00 UTC")


async def test_a_model_that_never_answers_meets_the_time_limit(brain: Brain) -> None:
    model = silent()
    answer = await brain.loop(model, Limits(time_s=0.05)).run(question("?"))
    assert answer.text == "I stopped after 0.05 s and had found nothing yet."
    assert model.stopped


async def test_no_time_left_ends_the_turn_before_the_next_query(brain: Brain) -> None:
    readings = iter([0.0, 0.0, 99.0])
    model = Scripted([calls(("now", {}))])
    loop = Loop(
        model, brain.toolbox(), brain.guard, Limits(time_s=10), lambda: next(readings, 99.0)
    )
    answer = await loop.run(question("?"))
    assert answer.text.startswith("I stopped after 10 s")


async def test_cancelling_the_turn_cancels_the_model(brain: Brain) -> None:
    model = silent()
    turn = asyncio.create_task(brain.loop(model).run(question("?")))
    async with asyncio.timeout(5):
        await model.started.wait()
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
    assert model.stopped


async def test_a_kill_ends_the_turn(brain: Brain) -> None:
    brain.latch = Latch("all", True, "olga", "irc", "enough", NOW)
    model = Scripted([calls(("now", {})), Completion(text="never said")])
    with pytest.raises(Refused, match="killed by olga"):
        await brain.loop(model).run(question("?"))
    assert len(model.shown) == 1


async def test_another_refusal_goes_back_to_the_model(brain: Brain) -> None:
    class NoClock:
        name = "no-clock"

        async def weigh(self, act: Act, unit: Unit) -> Refusal | None:
            return Refusal(policy=self.name, reason="no clocks today")

    model = Scripted([calls(("now", {})), Completion(text="I may not look")])
    guard = Guard(brain.store, [NoClock()], time.monotonic, lambda: NOW)
    loop = Loop(model, brain.toolbox(), guard, Limits(), time.monotonic)
    assert (await loop.run(question("?"))).text == "I may not look"
    assert results(model)[0].text == "refused: no clocks today"


async def test_an_empty_completion_is_no_silence(brain: Brain) -> None:
    answer = await brain.loop(Scripted([Completion(text="  ")])).run(question("?"))
    assert answer.text == "I have no answer to that."
