"""An agent remembers, recalls and forgets, through the tools that a model calls."""

from __future__ import annotations

import dataclasses
import time
from datetime import timedelta
from typing import Any

import pytest

from brain.errors import BadArguments, ToolError
from brain.loop import Limits, Loop
from brain.model import Completion
from brain.tools.catalogue import TOOLS
from brain.tools.registry import Toolbox, target_of
from storage.acts import Act
from storage.notes import MOST_OF_A_PLACE
from tests.integration.brain.scripted import Scripted, calls, results
from tests.integration.brain.stage import NOW, Brain, question


async def use(brain: Brain, name: str, /, **arguments: Any) -> str:
    asked_in = arguments.pop("asked_in", "#lobby")
    context = dataclasses.replace(
        brain.toolbox(channel=asked_in).context, is_open=lambda _, channel: channel != "#closed"
    )
    act = Act(agent="captain", verb="tool", target=target_of(name), reason="a test", trace_id="t")
    permit = await brain.guard.permit(act)
    return (await Toolbox(TOOLS, context).call(name, arguments, permit)).text


async def test_what_is_noted_in_one_conversation_is_recalled_in_another(brain: Brain) -> None:
    assert await use(brain, "recall") == "I have no note."
    text = "Ada likes green tea\n and no sugar."
    assert await use(brain, "remember", name="Ada's tea", text=text) == "Noted as “ada's tea”."
    brain.now = NOW + timedelta(days=2)
    assert await use(brain, "recall", asked_in="#elsewhere") == (
        "1 note:\nada's tea: Ada likes green tea and no sugar. "
        "(sam in irc:#lobby, 2026-11-20 15:00)"
    )
    again = await use(brain, "remember", name=" “Ada's  TEA.” ", text="black")
    assert again == "Noted anew as “ada's tea”."
    assert await use(brain, "forget", name="ada's tea") == "Forgot “ada's tea”."
    assert await use(brain, "recall") == "I have no note."


@pytest.mark.parametrize("place", [None, "#closed"])
async def test_what_is_noted_in_private_is_recalled_there_only(
    brain: Brain, place: str | None
) -> None:
    noted = await use(brain, "remember", name="plan", text="a surprise", asked_in=place)
    assert noted == "Noted as “plan”, for this conversation only."
    assert await use(brain, "recall", asked_in=place) == (
        "1 note:\nplan: a surprise (sam in here, 15:00)"
    )
    assert await use(brain, "recall") == "I have no note."
    with pytest.raises(ToolError, match="no note “plan” here"):
        await use(brain, "forget", name="plan")


async def test_recall_finds_by_words_in_any_ending_the_best_first(brain: Brain) -> None:
    await use(brain, "remember", name="mixer", text="the big mixer hums")
    await use(brain, "remember", name="driver", text="the nvidia driver needs a patch")
    await use(brain, "remember", name="other", text="a driver of the bus")
    found = await use(brain, "recall", about="nvidia drivers")
    assert [row.split(":")[0] for row in found.splitlines()] == ["2 notes", "driver", "other"]
    assert await use(brain, "recall", about="zither") == "I have no note about “zither”."


async def test_many_notes_are_told_in_part(brain: Brain) -> None:
    for n in range(12):
        await use(brain, "remember", name=f"n{n}", text="x")
    head, *rows = (await use(brain, "recall")).splitlines()
    assert (head, len(rows)) == ("the first 10 of 12 notes:", 10)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("  ", "x", "'name' is empty"),
        ("n" * 65, "x", "'name' is longer than 64"),
        ("n", " \n ", "'text' is empty"),
        ("n", "x" * 1001, "'text' is longer than 1000"),
    ],
)
async def test_notes_are_short_and_named(brain: Brain, name: str, text: str, sentence: str) -> None:
    with pytest.raises(BadArguments, match=sentence):
        await use(brain, "remember", name=name, text=text)


async def test_a_full_place_is_told_to_the_model(brain: Brain) -> None:
    for n in range(MOST_OF_A_PLACE):
        await use(brain, "remember", name=f"n{n}", text="x")
    wanted = calls(("remember", {"name": "one more", "text": "x"}))
    model = Scripted([wanted, Completion(text="I cannot remember more")])
    toolbox = brain.toolbox()
    await Loop(model, toolbox, brain.guard, Limits(), time.monotonic).run(question("?"))
    (result,) = results(model)
    assert result.is_error
    assert result.text == (
        "remember: 50 notes come from here, which is the most; forget some first"
    )
