"""Agents of one store leave alone what does not answer, and find out together that it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from brain.errors import (
    BadAnswer,
    CircuitOpen,
    ContextOverflow,
    CutShort,
    LoginRefused,
    ModelFailed,
    NoSuchModel,
    NoUsableKey,
    OverBudget,
    Overloaded,
    PriceUnknown,
    RateLimited,
    Refused,
    RequestRefused,
    Unreachable,
)
from brain.model import Completion
from brain.models.breaking import Breaking, speaks_of_provider
from storage import circuits
from storage.circuit import Circuit
from storage.store import Store
from tests.unit.brain.troupe import HELLO, NOON, Clock, Page, Player, Said, Waiting

ANSWER = Completion(text="Hello.")
BUSY = Overloaded("The provider is overloaded (529).")


@pytest.fixture
async def other(store: Store) -> AsyncIterator[Store]:
    """The same database from another process's point of view."""
    opened = await Store.open(store.url.render_as_string(hide_password=False))
    yield opened
    await opened.close()


@pytest.fixture
def statements(store: Store) -> list[str]:
    """What the store is asked, from now on."""
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    sa.event.listen(store._engine, "before_cursor_execute", note)
    return seen


def breaking(
    model: Player | Waiting, store: Store, clock: Clock, agent: str = "captain"
) -> Breaking:
    return Breaking(model, store, agent=agent, now=clock.now, clock=clock)


async def fails(model: Breaking, kind: type[ModelFailed], times: int = 1) -> ModelFailed:
    for _ in range(times):
        with pytest.raises(kind) as raised:
            await model.query(HELLO)
    return raised.value


async def circuit(store: Store) -> Circuit:
    return await store.read(lambda unit: circuits.read(unit, "claude"))


async def test_after_five_failures_nothing_is_asked_for_a_minute(store: Store) -> None:
    clock, model = Clock(), Player([BUSY])
    shut = breaking(model, store, clock)
    await fails(shut, Overloaded, 5)
    failure = await fails(shut, CircuitOpen, 3)
    assert str(failure) == (
        "claude is left alone until 12:01:00 UTC: The provider is overloaded (529)."
    )
    assert len(model.shown) == 5
    clock.turn(59.9)
    await fails(shut, CircuitOpen)
    clock.turn(0.1)
    await fails(shut, Overloaded)
    await fails(shut, CircuitOpen)
    assert len(model.shown) == 6


async def test_five_failures_of_five_agents_are_five(store: Store, other: Store) -> None:
    clock = Clock()
    models = [Player([BUSY]) for _ in range(5)]
    agents = [
        breaking(model, store if n % 2 else other, clock, f"agent-{n}")
        for n, model in enumerate(models)
    ]
    for agent in agents:
        await fails(agent, Overloaded)
    clock.turn(2)
    for agent in agents:
        await fails(agent, CircuitOpen)
    assert [len(model.shown) for model in models] == [1] * 5


async def test_half_open_one_agent_asks_and_its_answer_frees_all(
    store: Store, other: Store
) -> None:
    clock = Clock()
    model = Player([BUSY] * 5 + [Said(("Hel", "lo."), ANSWER)])
    first = breaking(model, store, clock, "captain")
    second = breaking(model, other, clock, "auditor")
    await fails(first, Overloaded, 5)
    clock.turn(60)
    page = Page()
    waiting = Waiting()
    probe = asyncio.create_task(breaking(waiting, store, clock, "secretary").query(HELLO))
    await waiting.asked.wait()
    for agent in (first, second):
        assert (await _open(agent)).until == (await circuit(store)).probing_until
    probe.cancel()
    await asyncio.wait([probe])
    # A dead prober's turn runs out.
    clock.turn(60)
    assert await first.query(HELLO, page) == ANSWER
    assert page.text == "Hello."
    clock.turn(2)
    assert await second.query(HELLO) == ANSWER
    assert (await circuit(store)).is_well


async def _open(agent: Breaking) -> CircuitOpen:
    with pytest.raises(CircuitOpen) as raised:
        await agent.query(HELLO)
    return raised.value


async def test_of_many_that_come_at_once_one_probes(store: Store, other: Store) -> None:
    clock, model = Clock(), Player([BUSY] * 5 + [ANSWER])
    await fails(breaking(model, store, clock), Overloaded, 5)
    clock.turn(60)
    waiting = Waiting()
    tasks = [
        asyncio.create_task(
            breaking(waiting, store if n % 2 else other, clock, f"agent-{n}").query(HELLO)
        )
        for n in range(10)
    ]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    while len(done) < 9:
        more, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        done |= more
    assert all(isinstance(task.exception(), CircuitOpen) for task in done)
    (probe,) = pending
    probe.cancel()
    await asyncio.wait([probe])


@pytest.mark.parametrize("failure", [LoginRefused("Key env:K refused."), NoSuchModel("No such.")])
async def test_what_a_person_must_mend_is_asked_twice_a_minute(
    store: Store, failure: ModelFailed
) -> None:
    clock, model = Clock(), Player([failure, failure, ANSWER])
    shut = breaking(model, store, clock)
    await fails(shut, type(failure))
    await fails(shut, CircuitOpen, 24)
    clock.turn(30)
    await fails(shut, type(failure))
    clock.turn(30)
    assert await shut.query(HELLO) == ANSWER
    assert len(model.shown) == 3


@pytest.mark.parametrize(
    "failure",
    [
        OverBudget("no"),
        PriceUnknown("no"),
        ContextOverflow("long"),
        RequestRefused("policy"),
        BadAnswer("{"),
        RateLimited("soon", retry_after_s=3),
        NoUsableKey("env:K is not set"),
        Refused("killed", policy="latch"),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_what_is_not_about_the_provider_never_counts(
    store: Store, failure: Exception
) -> None:
    shut = breaking(Player([failure]), store, Clock())
    for _ in range(10):
        with pytest.raises(type(failure)):
            await shut.query(HELLO)
    assert await circuit(store) == Circuit()


@pytest.mark.parametrize(
    ("failure", "counts"),
    [
        (BUSY, True),
        (Unreachable("gone"), True),
        (CutShort("cut"), True),
        (RateLimited("no credit"), True),
        (RateLimited("tomorrow", retry_after_s=3600), True),
        (RateLimited("soon", retry_after_s=60), False),
        (LoginRefused("no"), True),
        (ModelFailed("who knows"), False),
    ],
)
def test_which_failures_speak_of_the_provider(failure: ModelFailed, *, counts: bool) -> None:
    assert speaks_of_provider(failure, 60) is counts


@pytest.mark.parametrize(
    "failure", [OverBudget("no"), NoUsableKey("resting"), Refused("no", policy="latch")]
)
async def test_a_probe_that_was_not_made_is_the_next_ones(store: Store, failure: Exception) -> None:
    clock, model = Clock(), Player([BUSY] * 5 + [failure, ANSWER])
    shut = breaking(model, store, clock)
    await fails(shut, Overloaded, 5)
    clock.turn(60)
    with pytest.raises(type(failure)):
        await shut.query(HELLO)
    assert await shut.query(HELLO) == ANSWER


async def test_a_success_in_between_ends_the_row(store: Store, other: Store) -> None:
    clock = Clock()
    unlucky = breaking(Player([BUSY]), store, clock)
    lucky = breaking(Player([ANSWER]), other, clock, "auditor")
    for _ in range(3):
        clock.turn(2)
        await fails(unlucky, Overloaded, 4)
        clock.turn(2)
        assert await lucky.query(HELLO) == ANSWER
    assert (await circuit(store)).is_well


async def test_a_success_that_was_not_written_down_ends_the_row(store: Store, other: Store) -> None:
    clock = Clock()
    mixed = breaking(Player([ANSWER, ANSWER, BUSY]), store, clock)
    await mixed.query(HELLO)
    # Within the moment for which it goes by what it read, others fail.
    await fails(breaking(Player([BUSY]), other, clock, "auditor"), Overloaded, 4)
    clock.turn(1)
    await mixed.query(HELLO)
    await fails(mixed, Overloaded)
    assert (await circuit(store)).failures == 1


async def test_a_healthy_model_costs_no_query_a_call(store: Store, statements: list[str]) -> None:
    clock, model = Clock(), Player([ANSWER])
    well = breaking(model, store, clock)
    for _ in range(100):
        await well.query(HELLO)
    reads = [one for one in statements if "circuit" in one]
    assert len(reads) == 1
    clock.turn(1.5)
    await well.query(HELLO)
    assert len([one for one in statements if "circuit" in one]) == 2
    assert not any(one.startswith(("UPDATE", "INSERT")) for one in statements)


async def test_an_open_circuit_writes_nothing(store: Store, statements: list[str]) -> None:
    clock = Clock()
    shut = breaking(Player([BUSY]), store, clock)
    await fails(shut, Overloaded, 5)
    statements.clear()
    for _ in range(20):
        clock.turn(2)
        await fails(shut, CircuitOpen)
    assert not any(one.startswith(("UPDATE", "INSERT")) for one in statements)


async def test_without_the_store_it_goes_by_what_it_knows(store: Store) -> None:
    clock, model = Clock(), Player([ANSWER] + [BUSY] * 5 + [ANSWER])
    alone = breaking(model, store, clock)
    await store.close()
    assert await alone.query(HELLO) == ANSWER
    clock.turn(1)
    await fails(alone, Overloaded, 5)
    await fails(alone, CircuitOpen)
    clock.turn(60)
    assert await alone.query(HELLO) == ANSWER
    assert await alone.query(HELLO) == ANSWER


async def test_a_long_reason_is_cut(store: Store) -> None:
    await fails(breaking(Player([LoginRefused("x" * 5000)]), store, Clock()), LoginRefused)
    kept = await circuit(store)
    assert len(kept.reason) == 300
    assert kept.changed_at == NOON


async def test_a_cancellation_passes_and_counts_for_nothing(store: Store) -> None:
    model = Waiting()
    task = asyncio.create_task(breaking(model, store, Clock()).query(HELLO))
    await model.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await circuit(store) == Circuit()
