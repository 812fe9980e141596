"""What the wallet booked beside what the vendors say that they were paid, call by call through the
real SDKs.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import structlog

from bots.clock import utc_now
from brain.errors import ModelFailed
from brain.guard import Guard, LatchPolicy
from brain.model import Conversation, Message, Occasion, Role
from brain.models import anthropic, chat, responses
from brain.models.keys import KeyPool
from brain.models.metered import Metered
from brain.models.provider import Key, ModelSpec, Price
from brain.wallet.prices import Prices
from brain.wallet.wallet import Wallet
from storage import spending
from storage.migrate import upgrade
from storage.spending import Slice
from storage.store import Store
from tests.benchmarks.figures import at_most, report
from tests.benchmarks.thinking import KEY, MODELS
from tests.vendors.script import Fail, Say, Script, Step, Tokens
from tests.vendors.server import Stub, serving

#: at most so many calls, for at most so long
CALLS = 10_000
WITHIN_S = 60.0
AT_ONCE = 4
#: US dollars for a million tokens by the vendors' lists: input, output, read from the cache,
#: written to it
DOLLARS = {
    "claude-sonnet-5": (Fraction(2), Fraction(10), Fraction("0.2"), Fraction("2.5")),
    "gpt-5": (Fraction("1.25"), Fraction(10), Fraction("0.125"), Fraction("1.25")),
    "qwen3": (Fraction("0.4"), Fraction("1.2"), Fraction("0.4"), Fraction("0.4")),
}
_QWEN = Price(input=Decimal("0.4"), output=Decimal("1.2"))
_HELLO = "Hello to all of you, and to whoever else may read this."


async def the_ledger(folder: Path) -> None:
    dice = random.Random(7)
    store = await Store.open(f"sqlite:///{folder / 'ledger.sqlite'}", connections=2)
    await upgrade(store, folder / "ledger.lock")
    async with serving(Script(choose=lambda _: _answer(dice), keys=[KEY])) as stub:
        wallet = _wallet(store)
        began_s = time.monotonic()
        calls = await _call(stub, store, wallet, began_s)
        took_s = time.monotonic() - began_s
        await wallet.close()
    booked = await store.read(lambda unit: spending.spent(unit, [Slice(agent="captain")]))
    await store.close()
    _report(booked[0].settled_nusd, _billed(stub), calls, took_s)


async def _call(stub: Stub, store: Store, wallet: Wallet, began_s: float) -> int:
    """How many calls were made; those that the vendor failed are among them."""
    guard = Guard(store, [LatchPolicy(lambda _: None)], time.monotonic, utc_now)
    numbers = itertools.count(1)
    calls = 0
    async with AsyncExitStack() as closing:
        models = []
        for spec in _specs(stub):
            module = {"anthropic": anthropic, "openai": responses, "compatible": chat}
            provider = module[spec.provider].connect(spec)
            closing.push_async_callback(provider.close)
            pool = KeyPool(spec, utc_now)
            models.append(Metered(provider, spec, pool, wallet, guard, monotonic=time.monotonic))

        async def caller() -> None:
            nonlocal calls
            while (number := next(numbers)) <= CALLS and time.monotonic() - began_s < WITHIN_S:
                calls += 1
                await _one(models[number % len(models)], number)

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return calls


async def _one(model: Metered, number: int) -> None:
    occasion = Occasion(agent="captain", session="irc:#lobby", task=f"t{number}", trace_id="bench")
    asked = Message(role=Role.USER, text=f"question {number}")
    # A failure is a part of the mixture.
    with suppress(ModelFailed):
        await model.query(Conversation(system="", messages=(asked,), occasion=occasion))


def _specs(stub: Stub) -> list[ModelSpec]:
    return [
        ModelSpec(
            name=provider,
            provider=provider,
            model=model,
            keys=(Key(name="env:BENCH_KEY", value=KEY),),
            base_url=stub.url if provider == "anthropic" else stub.openai_url,
            price=_QWEN if provider == "compatible" else None,
            max_output_tokens=1024,
        )
        for provider, model in MODELS.items()
    ]


def _wallet(store: Store) -> Wallet:
    log = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(50))
    return Wallet(store, (), Prices(), clock=utc_now, epoch=1, log=log, warn=lambda nearly: nearly)


def _answer(dice: random.Random) -> Step:
    say = Say(
        _HELLO,
        usage=Tokens(
            input_tokens=dice.randint(1, 6_000),
            output_tokens=dice.randint(1, 900),
            cache_read_tokens=dice.choice((0, dice.randint(1, 5_000))),
            cache_write_tokens=dice.choice((0, dice.randint(1, 5_000))),
        ),
    )
    others: list[Step] = [replace(say, ending="refused"), replace(say, ending="length")]
    others += [Fail(529), Fail(500), Fail(404), Fail(400)]
    return dice.choice([say] * 14 + others)


def _billed(stub: Stub) -> Fraction:
    """What the stub's own count of tokens comes to, in nusd."""
    whole = Fraction(0)
    for model, tokens in stub.script.bill.items():
        given, made, read, written = DOLLARS[model]
        whole += given * tokens.input_tokens + made * tokens.output_tokens
        whole += read * tokens.cache_read_tokens + written * tokens.cache_write_tokens
    return whole * 1000


def _report(ledger: int, billed: Fraction, calls: int, took_s: float) -> None:
    off = abs(Fraction(ledger) - billed) / billed * 100
    note = (
        f"{calls:,} calls in {took_s:.0f} s through three SDKs: answers with and without cache, "
        "refusals, answers at the limit, errors before an answer"
    )
    if calls < CALLS:
        note += f"; not the {CALLS:,} of the target, which tests/integration/brain has computed"
    report(
        "brains",
        "ledger beside the stub's bill",
        float(off),
        "%",
        target=at_most(1),
        note=f"{note}; ledger ${ledger / 1e9:.6f}, bill ${float(billed) / 1e9:.6f}",
    )
