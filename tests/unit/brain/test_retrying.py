"""The same model is asked again when its failure may pass, and no longer than it is worth."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.errors import (
    BadAnswer,
    CutShort,
    LoginRefused,
    ModelFailed,
    Overloaded,
    Passing,
    RateLimited,
    Refused,
    Unreachable,
)
from brain.model import Completion, Usage
from brain.models.retrying import Patience, Retrying
from tests.unit.brain.troupe import HELLO, Clock, Page, Player, Said, Waiting

ANSWER = Completion(text="Hello.")


def retrying(model: Player | Waiting, clock: Clock, patience: Patience | None = None) -> Retrying:
    return Retrying(
        model,
        patience or Patience(),
        clock=clock,
        rng=random.Random(1),
        sleep=clock.sleep,
    )


def billed(failure: Passing) -> Passing:
    failure.maybe_billed = True
    return failure


def counted() -> Passing:
    failure = Overloaded("amid the answer")
    failure.usage = Usage(input_tokens=9)
    return failure


@pytest.mark.parametrize("failure", [Overloaded, RateLimited, Unreachable])
async def test_what_passes_is_tried_again_until_it_is_answered(failure: type[Passing]) -> None:
    clock, model = Clock(), Player([failure("no"), failure("no"), ANSWER])
    assert await retrying(model, clock).query(HELLO) == ANSWER
    assert len(model.shown) == 3
    assert len(clock.slept) == 2
    assert 0 <= clock.slept[0] <= 0.5
    assert 0 <= clock.slept[1] <= 1.0


@pytest.mark.parametrize(
    "failure", [CutShort("cut"), billed(Unreachable("no answer within 20 s")), counted()]
)
async def test_what_may_be_billed_each_time_is_tried_again_once(failure: Passing) -> None:
    model = Player([Overloaded("busy"), failure, failure, ANSWER])
    with pytest.raises(type(failure)) as raised:
        await retrying(model, Clock()).query(HELLO)
    assert raised.value is failure
    assert len(model.shown) == 3


async def test_so_a_cut_answer_is_mended() -> None:
    model = Player([CutShort("cut"), Overloaded("busy"), Overloaded("busy"), ANSWER])
    assert await retrying(model, Clock()).query(HELLO) == ANSWER


@pytest.mark.parametrize(
    "failure", [LoginRefused("no"), BadAnswer("no"), Refused("no", policy="latch")]
)
async def test_what_does_not_pass_is_not_tried_again(failure: Exception) -> None:
    clock, model = Clock(), Player([failure])
    with pytest.raises(type(failure)) as raised:
        await retrying(model, clock).query(HELLO)
    assert raised.value is failure
    assert (len(model.shown), clock.slept) == (1, [])


async def test_the_last_failure_is_raised_as_it_was() -> None:
    failures = [Overloaded(f"number {n}") for n in range(4)]
    clock, model = Clock(), Player([*failures, ANSWER])
    with pytest.raises(Overloaded, match="number 3"):
        await retrying(model, clock).query(HELLO)
    assert len(model.shown) == 4


async def test_the_wait_that_a_provider_asks_for_is_kept() -> None:
    clock, model = Clock(), Player([RateLimited("later", retry_after_s=7), ANSWER])
    await retrying(model, clock).query(HELLO)
    assert 7 <= clock.slept[0] <= 7.5


@pytest.mark.parametrize("asked_s", [20.1, 3600, float("inf")])
async def test_too_long_a_wait_is_not_begun(asked_s: float) -> None:
    clock, model = Clock(), Player([RateLimited("later", retry_after_s=asked_s), ANSWER])
    with pytest.raises(RateLimited):
        await retrying(model, clock).query(HELLO)
    assert clock.slept == []


@pytest.mark.parametrize("asked_s", [-5.0, float("nan"), 0.0])
async def test_a_senseless_wait_counts_as_none(asked_s: float) -> None:
    clock, model = Clock(), Player([RateLimited("later", retry_after_s=asked_s), ANSWER])
    await retrying(model, clock).query(HELLO)
    assert 0 <= clock.slept[0] <= 0.5


async def test_no_attempt_begins_after_the_total() -> None:
    clock, model = Clock(), Player([RateLimited("later", retry_after_s=12)])
    with pytest.raises(RateLimited):
        await retrying(model, clock, Patience(attempts=10)).query(HELLO)
    assert len(clock.slept) == 2
    assert clock.elapsed_s <= 30


@given(
    waits_s=st.lists(st.none() | st.floats(0, 60), min_size=1, max_size=8),
    seed=st.integers(),
    attempts=st.integers(1, 6),
)
def test_whatever_it_is_asked_to_wait_for_it_keeps_its_bounds(
    waits_s: list[float | None], seed: int, attempts: int
) -> None:
    clock = Clock()
    patience = Patience(attempts=attempts)
    model = Player([RateLimited("later", retry_after_s=wait_s) for wait_s in waits_s])
    patient = Retrying(model, patience, clock=clock, rng=random.Random(seed), sleep=clock.sleep)
    with pytest.raises(ModelFailed):
        asyncio.run(patient.query(HELLO))
    assert len(model.shown) <= attempts
    assert sum(clock.slept) <= patience.total_s
    for asked_s, slept_s in zip(waits_s, clock.slept, strict=False):
        assert (asked_s or 0) <= slept_s <= patience.longest_wait_s + patience.backoff_cap_s


async def test_a_cut_stream_begins_anew_and_is_read_once() -> None:
    page = Page()
    model = Player(
        [
            Said(("Hel",), CutShort("cut")),
            Overloaded("busy"),
            Said(("Hel", "lo."), ANSWER),
        ]
    )
    await retrying(model, Clock()).query(HELLO, page)
    assert (page.text, page.restarts) == ("Hello.", 1)


async def test_nothing_begins_anew_where_nothing_was_given() -> None:
    page = Page()
    model = Player([Said(("",), CutShort("cut")), Said(("Hello.",), ANSWER)])
    await retrying(model, Clock()).query(HELLO, page)
    assert (page.text, page.restarts) == ("Hello.", 0)


async def test_where_it_gives_up_what_was_given_is_left_to_who_asked() -> None:
    page, model = Page(), Player([Said(("Hel",), CutShort("cut"))])
    with pytest.raises(CutShort):
        await retrying(model, Clock(), Patience(attempts=2)).query(HELLO, page)
    assert (page.text, page.restarts) == ("Hel", 1)


async def test_a_model_is_told_when_nobody_reads() -> None:
    model = Player([ANSWER])
    await retrying(model, Clock()).query(HELLO)
    assert model.read_by == [None]


async def test_a_cancellation_passes_from_the_call() -> None:
    model = Waiting()
    task = asyncio.create_task(retrying(model, Clock()).query(HELLO))
    await model.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_passes_from_a_wait() -> None:
    waiting = asyncio.Event()

    async def forever(_: float) -> None:
        waiting.set()
        await asyncio.get_running_loop().create_future()

    model = Player([Overloaded("busy"), ANSWER])
    patient = Retrying(model, clock=Clock(), rng=random.Random(1), sleep=forever)
    task = asyncio.create_task(patient.query(HELLO))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(model.shown) == 1


async def test_a_turns_time_limit_ends_it_like_any_cancellation() -> None:
    model = Waiting()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await retrying(model, Clock()).query(HELLO)


async def test_it_is_the_model_to_whoever_asks() -> None:
    model = Player([ANSWER])
    patient = retrying(model, Clock())
    assert (patient.name, patient.label) == ("claude", "claude")
    assert patient.capabilities is model.capabilities
