"""The whole stack on the vendors' own SDKs: metered, retried, left alone, followed by another."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from brain.guard import Guard, LatchPolicy
from brain.model import Reader
from brain.models import anthropic, responses
from brain.models.breaking import Breaking
from brain.models.chain import Chain
from brain.models.keys import KeyPool
from brain.models.metered import Metered
from brain.models.provider import Key, ModelSpec, Price, Provider
from brain.models.refreshing import Renewing
from brain.models.retrying import Retrying
from storage import circuits
from storage.store import Store
from tests.integration.brain.locksmith import FileLogin
from tests.integration.brain.purse import CAPTAIN, Purse, conversation, day
from tests.unit.brain.troupe import Clock, Page
from tests.vendors.script import Cut, Fail, Say, Script
from tests.vendors.server import Stub, serving

CLAUDE, GPT = "claude-sonnet-5", "gpt-5"
CENT = 10_000_000
ASKED = conversation("hello", CAPTAIN)


@dataclass
class Stack:
    """An agent's two models on the stub, on a clock of its own."""

    store: Store
    stub: Stub
    purse: Purse
    clock: Clock
    closing: AsyncExitStack

    def chain(self, login: FileLogin | None = None) -> Chain:
        claude = self._spec("claude", CLAUDE, self.stub.url)
        gpt = self._spec("gpt", GPT, self.stub.openai_url)
        provider = anthropic.connect(claude)
        if login is not None:
            provider = Renewing(provider, login, self.store, agent="captain", now=self.clock.now)
        models = [self._model(claude, provider), self._model(gpt, responses.connect(gpt))]
        return Chain(models, now=self.clock.now)

    def asked(self, model: str) -> int:
        return [request.model for request in self.stub.script.requests].count(model)

    def _spec(self, name: str, model: str, base_url: str) -> ModelSpec:
        return ModelSpec(
            name=name,
            provider="anthropic" if name == "claude" else "openai",
            model=model,
            base_url=base_url,
            keys=(Key(name=f"file:{name}", value="old"),),
            price=Price(input=Decimal(1), output=Decimal(10)),
            timeout_s=5.0,
        )

    def _model(self, spec: ModelSpec, provider: Provider) -> Breaking:
        self.closing.push_async_callback(provider.close)
        guard = Guard(self.store, [LatchPolicy(lambda _: None)], time.monotonic, self.purse.clock)
        metered = Metered(
            provider,
            spec,
            KeyPool(spec, self.clock.now),
            self.purse.wallet(day(100 * CENT)),
            guard,
            monotonic=time.monotonic,
        )
        retrying = Retrying(metered, clock=self.clock, rng=random.Random(1), sleep=self.clock.sleep)
        return Breaking(retrying, self.store, agent="captain", now=self.clock.now, clock=self.clock)


@pytest.fixture
async def stack(store: Store) -> AsyncIterator[Stack]:
    async with (
        serving(Script(choose=lambda _: Say("Hello."))) as stub,
        AsyncExitStack() as all_,
    ):
        yield Stack(store, stub, Purse(store), Clock(), all_)


async def said(chain: Chain, reader: Reader | None = None) -> tuple[str, tuple[str, ...]]:
    completion = await chain.query(ASKED, reader)
    return completion.text, completion.notes


async def test_when_the_first_is_overloaded_the_second_answers_and_says_so(stack: Stack) -> None:
    stack.stub.script.failing[CLAUDE] = 529
    chain, page = stack.chain(), Page()
    assert await said(chain, page) == (
        "Hello.",
        (f"{CLAUDE} did not answer (overloaded); {GPT} answered instead.",),
    )
    assert (page.text, page.restarts) == ("Hello.", 0)
    assert stack.asked(CLAUDE) == 4
    for _ in range(4):
        await said(chain)
    _, (note,) = await said(chain)
    assert note.startswith(f"{CLAUDE} did not answer (left alone until ")
    assert stack.asked(CLAUDE) == 20
    del stack.stub.script.failing[CLAUDE]
    stack.clock.turn(60)
    assert await said(chain) == ("Hello.", ())
    # What was not answered was not paid for.
    states = await stack.purse.booked("model", "state")
    assert states.count(("claude", "refunded")) == 20
    assert states.count(("claude", "settled")) == 1


async def test_an_expired_login_costs_one_request_and_then_none(stack: Stack) -> None:
    stack.stub.script.failing[CLAUDE] = 401
    chain = stack.chain()
    for _ in range(10):
        text, (note,) = await said(chain)
        assert text == "Hello."
        assert CLAUDE in note
        assert "old" not in note
    assert stack.asked(CLAUDE) == 1
    circuit = await stack.store.read(lambda unit: circuits.read(unit, "claude"))
    assert "file:claude" in circuit.reason


async def test_an_expired_key_is_renewed_before_anybody_notices(
    stack: Stack, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("old")
    stack.stub.script.keys = {"new"}
    login = FileLogin(tmp_path)
    chain = stack.chain(login)
    assert await said(chain) == ("Hello.", ())
    assert await said(chain) == ("Hello.", ())
    assert login.renewals == ["old"]
    assert [request.key for request in stack.stub.script.requests] == ["old", "new", "new"]


async def test_a_cut_stream_is_read_once(stack: Stack) -> None:
    stack.stub.script.then(Cut(20, Say("Good morning to you all, and to the cat.")))
    page = Page()
    assert await said(stack.chain(), page) == ("Hello.", ())
    assert (page.text, page.restarts) == ("Hello.", 1)


async def test_the_wait_that_the_provider_asks_for_is_waited(stack: Stack) -> None:
    stack.stub.script.then(Fail(429, retry_after_s=7))
    assert await said(stack.chain()) == ("Hello.", ())
    assert 7 <= stack.clock.slept[0] <= 7.5


async def test_a_wait_that_is_too_long_is_left_to_the_next(stack: Stack) -> None:
    stack.stub.script.then(Fail(429, retry_after_s=300))
    _, (note,) = await said(stack.chain())
    assert "asked too often" in note
    assert stack.clock.slept == []
