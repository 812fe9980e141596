"""Metered calls through the vendors' own clients: the ledger beside the stub's bill."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from fractions import Fraction

import pytest

from brain.errors import BadAnswer, ModelFailed, OverBudget, Unreachable
from brain.guard import Guard, LatchPolicy
from brain.model import Completion
from brain.models import anthropic, chat, responses
from brain.models.keys import KeyPool
from brain.models.metered import Metered
from brain.models.provider import ModelSpec, Provider
from brain.models.retrying import Retrying
from storage.store import Store
from tests.integration.brain.purse import KEYS, PRICE, SPEC, Purse, conversation, day
from tests.unit.brain.troupe import Clock
from tests.vendors.script import Asked, Cut, Fail, Say, Script, Slow, Step, Tokens
from tests.vendors.server import Stub, serving

CALLS = 400
CONNECT = (anthropic.connect, responses.connect, chat.connect)
#: US dollars for a million tokens: input, output, read from and written to the cache
DOLLARS = {
    "claude-haiku-4-5": (Fraction(1), Fraction(5), Fraction("0.1"), Fraction("1.25")),
    "gpt-5-mini": (Fraction("0.25"), Fraction(2), Fraction("0.025"), Fraction("0.25")),
    "llama-of-tests": (Fraction(1), Fraction(10), Fraction(1), Fraction(1)),
}


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with serving(Script(keys=[KEYS[0].value])) as running:
        yield running


@pytest.fixture
def purse(store: Store) -> Purse:
    return Purse(store)


def providers(stub: Stub) -> Sequence[tuple[ModelSpec, Provider]]:
    small = replace(SPEC, model="claude-haiku-4-5", price=None, base_url=stub.url)
    mini = replace(
        small, name="mini", provider="openai", model="gpt-5-mini", base_url=stub.openai_url
    )
    llama = replace(mini, name="llama", provider="compatible", model="llama-of-tests", price=PRICE)
    return (
        (small, anthropic.connect(small)),
        (mini, responses.connect(mini)),
        (llama, chat.connect(llama)),
    )


def metered(purse: Purse, spec: ModelSpec, provider: Provider, nusd: int = 10**12) -> Metered:
    guard = Guard(purse.store, [LatchPolicy(lambda _: None)], time.monotonic, purse.clock)
    wallet = purse.wallet(day(nusd))
    pool = KeyPool(spec, purse.clock)
    return Metered(provider, spec, pool, wallet, guard, monotonic=time.monotonic)


def billed_nusd(stub: Stub) -> Fraction:
    """What the stub's own count of tokens comes to."""
    whole = Fraction(0)
    for model, tokens in stub.script.bill.items():
        given, made, read, written = DOLLARS[model]
        whole += given * tokens.input_tokens + made * tokens.output_tokens
        whole += read * tokens.cache_read_tokens + written * tokens.cache_write_tokens
    return whole * 1000


def mixed(dice: random.Random) -> Step:
    usage = Tokens(
        input_tokens=dice.randint(1, 3000),
        output_tokens=dice.randint(1, 300),
        cache_read_tokens=dice.choice((0, dice.randint(1, 2000))),
        cache_write_tokens=dice.choice((0, dice.randint(1, 2000))),
    )
    say = Say("Hello to you all.", usage=usage)
    steps: list[Step] = [replace(say, ending="refused"), replace(say, ending="length")]
    steps += [Fail(529), Fail(429), Fail(500), Fail(404)]
    return dice.choice([say] * 14 + steps)


async def test_the_ledger_is_the_stub_s_bill_whatever_is_answered(purse: Purse, stub: Stub) -> None:
    dice = random.Random(11)
    stub.script.choose = lambda _: mixed(dice)
    answered = failed = 0
    async with AsyncExitStack() as closing:
        models = []
        for spec, provider in providers(stub):
            closing.push_async_callback(provider.close)
            models.append(metered(purse, replace(spec, keys=KEYS[:1]), provider))
        for model in itertools.islice(itertools.cycle(models), CALLS):
            # A provider that pauses a key after a 429 says for how long; here nobody waits.
            purse.now = purse.now.replace(microsecond=(purse.now.microsecond + 1) % 10**6)
            try:
                completion = await model.query(conversation())
                answered += 1
                assert completion.cost_nusd > 0
            except ModelFailed:
                failed += 1
    rows = await purse.booked()
    assert (len(rows), answered + failed) == (CALLS, CALLS)
    assert min(answered, failed) > CALLS / 10
    ledger, bill = sum(cost for _, _, cost in rows), billed_nusd(stub)
    # Each call is rounded up to a nusd, no more.
    assert bill <= ledger < bill + answered
    assert {state for state, _, _ in rows} == {"settled", "refunded"}


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize(
    ("step", "is_kept"),
    [
        (Fail(401), False),
        (Fail(529), False),
        (Fail(400, body='{"half": '), False),
        (Cut(4, Say("Hello to you all.")), True),
    ],
)
async def test_only_what_may_have_been_billed_is_kept(
    purse: Purse, stub: Stub, number: int, step: Step, *, is_kept: bool
) -> None:
    stub.script.then(step)
    spec, provider = providers(stub)[number]
    model = metered(purse, spec, provider)
    with pytest.raises(ModelFailed):
        await model.query(conversation())
    await provider.close()
    ((state, reserved, cost),) = await purse.booked()
    assert (state, 0 < cost <= reserved) == ("settled" if is_kept else "refunded", is_kept)


@pytest.mark.parametrize("number", range(3))
async def test_whoever_thinks_longer_than_we_wait_is_paid_twice_at_most(
    purse: Purse, stub: Stub, number: int
) -> None:
    """What does not stream reads the whole request, and bills it, whether it is heard or not."""
    stub.script.choose = lambda _: Slow(Say("Too late."), before_s=5)
    spec, _ = providers(stub)[number]
    spec = replace(spec, streaming=False, timeout_s=0.3, price=PRICE)
    provider = CONNECT[number](spec)
    clock = Clock()
    model = Retrying(
        metered(purse, spec, provider), clock=clock, rng=random.Random(1), sleep=clock.sleep
    )
    with pytest.raises(Unreachable, match=r"0\.3 s"):
        await model.query(conversation("x" * 4000))
    await provider.close()
    assert stub.script.count == 2
    assert all(
        state == "settled" and cost == reserved for state, reserved, cost in await purse.booked()
    )


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("number", range(3))
async def test_a_count_that_no_ledger_takes_is_no_count(
    purse: Purse, stub: Stub, number: int, *, streaming: bool
) -> None:
    stub.script.then(Say("Hello.", usage=Tokens(input_tokens=10**30, output_tokens=9)))
    spec, _ = providers(stub)[number]
    provider = CONNECT[number](replace(spec, streaming=streaming))
    model = metered(purse, spec, provider)
    with pytest.raises(BadAnswer):
        await model.query(conversation())
    await provider.close()
    ((state, reserved, cost),) = await purse.booked()
    assert (state, cost) == ("settled", reserved)


@pytest.mark.parametrize("number", range(3))
async def test_no_request_leaves_that_could_cross_the_budget(
    purse: Purse, stub: Stub, number: int
) -> None:
    usage = Tokens(input_tokens=9, output_tokens=9)
    stub.script.choose = lambda _: Say("Hello.", usage=usage)
    spec, provider = providers(stub)[number]
    budget = 40_000_000
    model = metered(purse, spec, provider, budget)
    asked = await asyncio.gather(
        *(model.query(conversation("word " * 1000)) for _ in range(24)), return_exceptions=True
    )
    await provider.close()
    made = sum(isinstance(one, Completion) for one in asked)
    assert made == stub.script.count
    assert made + sum(isinstance(one, OverBudget) for one in asked) == 24
    assert billed_nusd(stub) <= budget


async def test_what_is_reserved_covers_what_the_stub_was_sent(purse: Purse, stub: Stub) -> None:
    """The bound counts no less than the whole request's text, in every vendor's format."""
    sent: list[Asked] = []

    def answer(asked: Asked) -> Step:
        sent.append(asked)
        text = str(asked.body)
        return Say("Hello.", usage=Tokens(input_tokens=len(text.encode()) - 200, output_tokens=16))

    stub.script.choose = answer
    for spec, provider in providers(stub):
        model = metered(purse, spec, provider)
        await model.query(conversation("Grüße, 世界! " * 50))
        await provider.close()
    assert len(sent) == 3
    assert all(cost <= reserved for _, reserved, cost in await purse.booked())
    assert "wallet.above_reservation" not in purse.events()
