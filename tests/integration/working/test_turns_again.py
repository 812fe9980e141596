"""What failed is tried again, not for ever, and never what changes something twice."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from decimal import Decimal
from functools import partial

import pytest
import sqlalchemy as sa

from brain.errors import ContextOverflow
from brain.model import Capabilities, Completion, ToolCall, Usage
from brain.tools.context import Context
from brain.tools.registry import Effects, Tool, ToolResult, tool
from storage import sessions
from storage.core import TURN, run
from storage.errors import StoreUnavailable
from tests.integration.working.scene import Scene, Step, Stepping

DONE = Completion(text="It is paid.")


def call(name: str) -> Completion:
    return Completion(tool_calls=(ToolCall(id=f"call-{name}", name=name, arguments={}),))


class Till:
    """Counts what was paid."""

    def __init__(self) -> None:
        self.paid = 0

    def tool(self, effects: Effects) -> Tool:
        @tool(effects=effects, guard_class="trial")
        async def pay(context: Context) -> ToolResult:
            """Pay."""
            self.paid += 1
            return ToolResult(text="paid")

        return pay


async def talked_before(scene: Scene, *, words: int = 1) -> None:
    """There is a history that can be made shorter."""
    now = scene.work.heard_at
    async with scene.captain.store.writing() as unit:
        session_id = await sessions.open_session(unit, "captain", scene.work.session, now)
        for n in range(4):
            await sessions.add_turn(
                unit,
                session_id,
                asker="you",
                asked=f"question {n}",
                answer=f"answer {n}" * words,
                model="m",
                started_at=now,
                finished_at=now,
                trace_id="t",
            )


async def note(scene: Scene) -> str:
    async with scene.captain.store.reading() as unit:
        return str((await run(unit, sa.text("SELECT note FROM inbox"))).scalar_one())


async def said(scene: Scene) -> list[str]:
    return [message["content"] for message in await scene.shown(0)]


async def test_a_line_that_breaks_its_turn_is_tried_three_times_and_told_once(
    scene: Scene,
) -> None:
    model = Stepping([OverflowError("date value out of range")])
    began_s = time.monotonic()
    async with scene.works(scene.answerer(model)):
        assert await scene.ends() == "refused"
    assert model.asked == 3
    # It rests in between: no turn is free.
    assert time.monotonic() - began_s > 5
    assert await said(scene) == [
        "I cannot answer that line: something in it breaks me, however often I try."
    ]
    assert await note(scene) == "given up: taken back after 0 deaths and 3 faults"


async def test_a_stop_ends_what_rests_after_a_fault(scene: Scene) -> None:
    failed = asyncio.Event()

    async def fails(_: object) -> Completion:
        failed.set()
        raise RuntimeError("?")

    answerer = scene.answerer(Stepping([fails]))
    async with scene.works(answerer):
        await failed.wait()
        async with asyncio.timeout(20):
            stop = partial(answerer.leave_waiting, scene.work.session, "you", None)
            while not await stop():  # noqa: ASYNC110 - it is the database that changes
                await asyncio.sleep(0.02)
        assert await scene.ends() == "refused"
    assert await note(scene) == "you said stop"
    assert await said(scene) == []


async def test_the_stores_faults_are_not_the_lines(scene: Scene) -> None:
    locked: list[Step] = [StoreUnavailable("it is locked by another process")] * 4
    model = Stepping([*locked, Completion(text="Fifty hertz.")])
    async with scene.works(scene.answerer(model)):
        assert await scene.ends() == "answered"
    assert await said(scene) == ["Fifty hertz."]


@pytest.mark.parametrize("effects", [Effects.SENDS, Effects.WRITES])
async def test_a_conversation_too_long_is_not_begun_anew_after_a_deed(
    scene: Scene, effects: Effects
) -> None:
    await talked_before(scene)
    till = Till()
    model = Stepping([call("pay"), ContextOverflow("it is too long"), call("pay"), DONE])
    await scene.answerer(model, till.tool(effects)).turn([scene.work])
    assert (till.paid, model.asked) == (1, 2)
    assert await said(scene) == [
        "I cannot answer that now: it is too long; what my tools had begun before is done"
    ]


async def test_a_conversation_too_long_is_begun_anew_when_tools_only_read(scene: Scene) -> None:
    await talked_before(scene)
    till = Till()
    model = Stepping([call("pay"), ContextOverflow("it is too long"), call("pay"), DONE])
    await scene.answerer(model, till.tool(Effects.READS)).turn([scene.work])
    assert (till.paid, model.asked) == (2, 4)
    assert await said(scene) == ["It is paid."]


async def test_a_second_try_has_what_the_first_one_left_of_the_turns_limits(scene: Scene) -> None:
    await talked_before(scene)
    till = Till()
    wants = dataclasses.replace(
        call("pay"), usage=Usage(input_tokens=100, output_tokens=10), cost_nusd=7
    )
    model = Stepping([wants, wants, ContextOverflow("it is too long"), wants])
    await scene.answerer(model, till.tool(Effects.READS)).turn([scene.work])
    most = scene.captain.spec.settings.limits.max_steps
    # What was sent back unread was no step.
    assert (till.paid, model.asked) == (most, most + 1)
    [told] = await said(scene)
    assert told.startswith(f"I stopped after {most} steps; this is what I have:\npaid")
    async with scene.captain.store.reading() as unit:
        c = TURN.c
        query = sa.select(c.steps, c.cost_nusd, c.input_tokens).where(c.inbox_id.is_not(None))
        kept = (await run(unit, query)).one()
    assert tuple(kept) == (most, 7 * most, 100 * most)


async def test_a_turn_that_has_cost_what_it_may_says_what_it_has(scene: Scene) -> None:
    till = Till()
    wants = dataclasses.replace(call("pay"), cost_nusd=60_000_000)
    model = Stepping([wants])
    answerer = scene.answerer(model, till.tool(Effects.READS))
    given = answerer.thinker.settings
    costly = given.model_copy(
        update={"limits": given.limits.model_copy(update={"turn_usd": Decimal("0.1")})}
    )
    thinker = dataclasses.replace(answerer.thinker, settings=costly)
    await dataclasses.replace(answerer, thinker=thinker).turn([scene.work])
    assert model.asked == 2
    [told] = await said(scene)
    assert told.startswith("I stopped after $0.1200; this is what I have:")


@pytest.mark.parametrize(
    ("context_tokens", "tools", "is_shorter"),
    [(4_096, False, False), (4_096, True, False), (8_000, False, True)],
)
async def test_a_window_too_small_for_a_digest_slides_and_nothing_is_made_shorter(
    scene: Scene, *, context_tokens: int, tools: bool, is_shorter: bool
) -> None:
    await talked_before(scene, words=400)
    can = Capabilities(
        tools=tools, streaming=True, json_schema=False, context_tokens=context_tokens
    )
    await scene.answerer(Stepping([DONE], capabilities=can)).thinker.tidy(scene.work)
    async with scene.captain.store.reading() as unit:
        history = await sessions.history(unit, "captain", scene.work.session, 9)
    assert bool(history.digest) == is_shorter


async def test_what_the_store_interrupts_after_a_deed_is_unknown_and_not_done_again(
    scene: Scene,
) -> None:
    till = Till()
    model = Stepping([call("pay"), StoreUnavailable("locked"), call("pay"), DONE])
    async with scene.works(scene.answerer(model, till.tool(Effects.SENDS))):
        assert await scene.ends() == "unknown"
    assert till.paid == 1
    assert await note(scene) == "a tool that changes something was begun; it is not done again"


async def test_what_a_dead_process_had_begun_to_do_is_not_done_by_the_next(scene: Scene) -> None:
    till = Till()

    async def hangs(_: object) -> Completion:
        paid.set()
        await asyncio.Event().wait()
        raise AssertionError

    paid = asyncio.Event()
    model = Stepping([call("pay"), hangs])
    turn = asyncio.create_task(scene.answerer(model, till.tool(Effects.SENDS)).turn([scene.work]))
    await paid.wait()
    await scene.succeeded()
    assert await scene.state() == "unknown"
    turn.cancel()
    await asyncio.gather(turn, return_exceptions=True)


async def test_what_was_done_and_told_is_answered(scene: Scene) -> None:
    till = Till()
    model = Stepping([call("pay"), call("pay"), DONE])
    await scene.answerer(model, till.tool(Effects.SENDS)).turn([scene.work])
    assert till.paid == 2
    assert await scene.state() == "answered"


async def test_who_lost_its_work_to_another_process_does_nothing_more(scene: Scene) -> None:
    till = Till()

    async def is_overtaken(_: object) -> Completion:
        async with scene.captain.store.writing() as unit:
            await run(unit, sa.text("UPDATE inbox SET epoch = 2"))
        return call("pay")

    await scene.answerer(Stepping([is_overtaken, DONE]), till.tool(Effects.SENDS)).turn(
        [scene.work]
    )
    assert till.paid == 0
    assert await said(scene) == []
