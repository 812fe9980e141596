"""The loop with a scripted model: what goes back to it, and what ends the turn."""

from __future__ import annotations

import asyncio
import dataclasses
import time

import pytest

from brain.errors import ContextOverflow, OverBudget, Refused
from brain.loop import Exchange, Limits, Loop
from brain.model import (
    Completion,
    Conversation,
    Message,
    Occasion,
    Reader,
    Role,
    Stop,
    Usage,
)
from brain.spent import Spent
from storage import audit
from storage.latch import Latch
from tests.integration.brain.scripted import (
    Eyes,
    Scripted,
    calls,
    results,
)
from tests.integration.brain.stage import NOW, Brain, question


class Silent(Scripted):
    """A model that never answers, and notes when it is told to stop."""

    started: asyncio.Event
    stopped: bool = False

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
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


async def test_an_empty_completion_is_no_silence(brain: Brain) -> None:
    answer = await brain.loop(Scripted([Completion(text="  ")])).run(question("?"))
    assert answer.text == "I have no answer to that."


async def test_what_was_said_beside_tool_calls_is_no_part_of_the_streamed_answer(
    brain: Brain,
) -> None:
    beside = Completion(text="Let me look.", tool_calls=calls(("now", {})).tool_calls)
    eyes = Eyes()
    model = Scripted([beside, Completion(text="It is three.")])
    answer = await brain.loop(model).run(question("what time is it?"), eyes)
    assert ("".join(eyes.shown).strip(), eyes.times_anew) == (answer.text, 1)


async def test_a_first_answer_is_not_begun_anew(brain: Brain) -> None:
    eyes = Eyes()
    await brain.loop(Scripted([calls(("now", {})), Completion(text="three")])).run(
        question("?"), eyes
    )
    assert (eyes.shown, eyes.times_anew) == (["three "], 0)


async def test_who_pays_and_what_was_said_before_reach_the_model(brain: Brain) -> None:
    occasion = Occasion(agent="captain", session="irc:#lobby", task="inbox:1", trace_id="t")
    opening = (Message(role=Role.USER, text="fenced: who are you?"),)
    model = Scripted([Completion(text="me")])
    asked = dataclasses.replace(question("?"), occasion=occasion, opening=opening)
    await brain.loop(model).run(asked)
    assert model.shown[0].occasion == occasion
    assert model.shown[0].messages == opening


async def test_costs_and_notes_of_all_queries_are_the_answers(
    brain: Brain,
) -> None:
    first = dataclasses.replace(
        calls(("now", {})),
        usage=Usage(input_tokens=10, output_tokens=5),
        cost_nusd=700,
        notes=("first was down; second answered instead.", "another note"),
    )
    last = Completion(
        text="done",
        usage=Usage(input_tokens=20, cache_read_tokens=7),
        cost_nusd=300,
        notes=("another note", "another note"),
        model="second",
        label="Second",
    )
    answer = await brain.loop(Scripted([first, last])).run(question("?"))
    assert (answer.model, answer.label) == ("second", "Second")
    # Who answered the question is told, and apart from that whose work it stands on.
    assert answer.notes == (
        "another note",
        "On the way: first was down; second answered instead.",
    )
    assert answer.cost_nusd == 1000
    assert answer.usage == Usage(input_tokens=30, output_tokens=5, cache_read_tokens=7)


async def test_a_fallback_of_several_steps_is_told_once(brain: Brain) -> None:
    note = "first was down; second answered instead."
    by_second = dataclasses.replace(calls(("now", {})), notes=(note,))
    well = Completion(text="done")
    answer = await brain.loop(Scripted([by_second, by_second, well])).run(question("?"))
    assert answer.notes == (f"On the way: {note}",)
    still_down = dataclasses.replace(well, notes=(note,))
    answer = await brain.loop(Scripted([by_second, still_down])).run(question("?"))
    assert answer.notes == (note,)


async def test_the_time_of_an_earlier_try_counts(brain: Brain) -> None:
    model = Scripted([Completion(text="done")])
    spent = Spent(began_s=time.monotonic() - 10)
    loop = Loop(model, brain.toolbox(), brain.guard, Limits(time_s=9), time.monotonic, spent=spent)
    answer = await loop.run(question("?"))
    assert answer.text == "I stopped after 9 s and had found nothing yet."
    assert model.shown == []


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (Limits(tokens=1_500), "I stopped after 1,500 tokens"),
        (Limits(cost_nusd=2_000_000), "I stopped after $0.0020"),
    ],
)
async def test_at_the_limits_of_tokens_and_money_it_says_what_it_has(
    brain: Brain, limits: Limits, sentence: str
) -> None:
    costly = dataclasses.replace(
        calls(("now", {})), usage=Usage(input_tokens=1_500), cost_nusd=2_000_000
    )
    answer = await brain.loop(Scripted([costly]), limits).run(question("?"))
    assert answer.text.startswith(f"{sentence}; this is what I have:\nIt is 15:00 UTC")
    assert answer.steps == 1


async def test_an_answer_that_crosses_a_limit_is_still_given(brain: Brain) -> None:
    said = Completion(text="dear words", usage=Usage(output_tokens=99))
    assert (await brain.loop(Scripted([said]), Limits(tokens=1)).run(question("?"))).text == (
        "dear words"
    )


async def test_a_budget_that_ends_in_the_middle_leaves_what_was_found(brain: Brain) -> None:
    model = Scripted([calls(("now", {})), OverBudget("The day's budget is used up.")])
    answer = await brain.loop(model).run(question("?"))
    assert answer.text.startswith("The day's budget is used up; this is what I have:\nIt is 15:00")
    with pytest.raises(OverBudget):
        await brain.loop(Scripted([OverBudget("used up")])).run(question("?"))


async def test_a_conversation_that_is_too_long_is_the_callers_to_mend(brain: Brain) -> None:
    model = Scripted([calls(("now", {})), ContextOverflow("too long")])
    with pytest.raises(ContextOverflow):
        await brain.loop(model).run(question("?"))


async def test_time_that_ends_in_the_middle_of_an_answer_leaves_what_was_written(
    brain: Brain,
) -> None:
    class Slow(Scripted):
        async def query(
            self, conversation: Conversation, reader: Reader | None = None
        ) -> Completion:
            assert reader is not None
            reader.piece("The beginning ")
            await asyncio.Event().wait()
            raise AssertionError

    answer = await brain.loop(Slow([]), Limits(time_s=0.05)).run(question("?"), Eyes())
    assert answer.text == "The beginning\n[I stopped after 0.05 s, in the middle of this answer.]"


@pytest.mark.parametrize(
    ("completion", "sentence"),
    [
        (Completion(stop=Stop.REFUSED), "The model will not answer that."),
        (Completion(stop=Stop.REFUSED, text="I would rather not."), "I would rather not."),
        (
            Completion(stop=Stop.LENGTH, text="Once upon a"),
            "Once upon a\n[The answer is cut here: it reached the most that the model may write.]",
        ),
        (
            Completion(stop=Stop.LENGTH),
            "The model wrote as much as it may before it came to an answer. Ask for less.",
        ),
    ],
)
async def test_a_refusal_and_a_cut_answer_are_clear_sentences(
    brain: Brain, completion: Completion, sentence: str
) -> None:
    assert (await brain.loop(Scripted([completion])).run(question("?"))).text == sentence


async def test_calls_beside_a_refusal_are_not_made(brain: Brain) -> None:
    refused = dataclasses.replace(calls(("now", {})), stop=Stop.REFUSED)
    answer = await brain.loop(Scripted([refused])).run(question("?"))
    assert (answer.text, answer.steps) == ("The model will not answer that.", 1)
