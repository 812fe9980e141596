"""The offline brain from question to answer, on the tour's conversation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from brain.loop import Exchange
from storage import agents
from storage.tables import AgentState
from tests.integration.brain.stage import NOW, Brain, question, tour_questions


@pytest.mark.parametrize("asked", tour_questions(), ids=lambda q: str(q["ask"]))
async def test_the_tours_questions_have_the_answers_it_promises(
    brain: Brain, asked: dict[str, Any]
) -> None:
    async with brain.store.writing() as unit:
        for card in brain.cards:
            await agents.enrol(unit, card.name, card.role, NOW)
            epoch = await agents.take(unit, card.name, "here", now=NOW, ttl_s=60)
            await agents.report(unit, card.name, epoch, now=NOW, state=AgentState.READY)
    brain.agent = asked["to"]
    text = await brain.ask(f"{asked['to']}: {asked['ask']}")
    assert text.startswith("[offline brain] ")
    for words in asked["words"]:
        assert words.lower() in text.lower()


async def test_the_model_asks_once_and_words_what_came_back(brain: Brain) -> None:
    answer = await brain.loop(brain.offline()).run(question("who mentioned the windscreen?"))
    assert answer.steps == 2
    assert len(answer.evidence_ids) == 1
    assert "<yusuf> does anyone have a spare windscreen" in answer.text


async def test_a_follow_up_leans_on_the_question_before(brain: Brain) -> None:
    before = Exchange(asked="who mentioned the mixer?", answer="…")
    assert "“rota”" in await brain.ask("and the rota?", before)
    assert "“mixer” in the last 2 hours" in await brain.ask("and in the last 2 hours?", before)
    said = Exchange(asked="what did birgit say about the rota?", answer="…")
    assert "by birgit" in await brain.ask("what about the key?", said)


async def test_what_it_cannot_work_out_it_looks_up_and_says_so(brain: Brain) -> None:
    text = await brain.ask("how do I get a fallback mount?")
    assert text.startswith("[offline brain] I cannot work that out myself")
    assert "fallback-mount with the name of the other one" in text
    nothing = await brain.ask("why is the sky blue?")
    assert "I have heard nothing about “sky blue”" in nothing
    assert "no language model" in nothing


async def test_errors_are_told_in_the_tools_words(brain: Brain) -> None:
    text = await brain.ask("what happened in #kitchen?")
    assert (
        text
        == "[offline brain] I could not do that: I know no channel #kitchen; I have heard #lobby."
    )


async def test_each_soul_introduces_itself(brain: Brain) -> None:
    told = set()
    for card in brain.cards:
        brain.agent = card.name
        told.add(await brain.ask("who are you?"))
    assert len(told) == 8


async def test_it_works_in_private_and_on_another_day(brain: Brain) -> None:
    brain.now = NOW + timedelta(days=3)
    text = await brain.ask("what happened in #loby on 2026-11-20?", channel=None)
    assert text.startswith("[offline brain] #lobby on 2026-11-20: 79 lines by 8 people")
