"""What a call costs: exact, rounded up, and known without a network."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.errors import PriceUnknown
from brain.model import Usage
from brain.models.provider import Kind, ModelSpec, Price
from brain.wallet.prices import Prices
from brain.wallet.tariff import Rate, Tariff, flat

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[3]
SONNET = ModelSpec(name="clever", provider="anthropic", model="claude-sonnet-4-5")

tokens = st.integers(0, 2_000_000)
usages = st.builds(
    Usage,
    input_tokens=tokens,
    output_tokens=tokens,
    cache_read_tokens=tokens,
    cache_write_tokens=tokens,
)
dollars = st.decimals(0, 1000, allow_nan=False, places=7)
steps = st.lists(st.tuples(st.integers(0, 1_000_000), dollars), max_size=3).map(
    lambda found: tuple(sorted(found))
)
rates = st.builds(Rate, base=dollars, above=steps)
tariffs = st.builds(Tariff, input=rates, output=rates, cache_read=rates, cache_write=rates)


def test_each_kind_of_token_has_its_own_price() -> None:
    tariff = Prices().tariff_of(SONNET, NOON)
    million = 1_000_000
    # 3.00, 15.00, 0.30 and 3.75 US dollars a million, below 200,000 tokens a call
    assert tariff.cost_nusd(Usage(input_tokens=1000)) == 3 * million
    assert tariff.cost_nusd(Usage(output_tokens=1000)) == 15 * million
    assert tariff.cost_nusd(Usage(cache_read_tokens=1000)) == 300_000
    assert tariff.cost_nusd(Usage(cache_write_tokens=1000)) == 3_750_000


def test_a_long_call_costs_more_for_all_of_its_tokens() -> None:
    tariff = Prices().tariff_of(SONNET, NOON)
    short = Usage(input_tokens=100_000, cache_read_tokens=100_000)
    assert tariff.cost_nusd(short) == 100_000 * 3000 + 100_000 * 300
    longer = replace(short, cache_write_tokens=1, output_tokens=2)
    by_hand = 100_000 * 6000 + 100_000 * 600 + 7500 + 2 * 22_500
    assert tariff.cost_nusd(longer) == by_hand


@given(usages)
def test_list_prices_are_billed_as_their_own_library_bills_them(usage: Usage) -> None:
    whole = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    for spec in (SONNET, replace(SONNET, provider="openai", model="gpt-5-mini")):
        theirs = genai_prices.calc_price(
            genai_prices.Usage(
                input_tokens=whole,
                output_tokens=usage.output_tokens,
                cache_read_tokens=usage.cache_read_tokens,
                cache_write_tokens=usage.cache_write_tokens,
            ),
            spec.model,
            provider_id=spec.provider,
            genai_request_timestamp=NOON,
        )
        ours = Prices().tariff_of(spec, NOON).cost_nusd(usage)
        assert ours == ceil(Fraction(theirs.total_price) * 10**9)


@given(tariffs, usages)
def test_what_is_reserved_is_never_below_the_bill(tariff: Tariff, usage: Usage) -> None:
    whole = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    assert tariff.most_nusd(whole, usage.output_tokens) >= tariff.cost_nusd(usage)
    assert tariff.most_nusd(whole + 99, usage.output_tokens + 9) >= tariff.cost_nusd(usage)


@given(st.decimals(0, 10**6, allow_nan=False), tokens, tokens)
def test_a_cost_is_rounded_up_to_a_nusd_once(price: Decimal, given: int, made: int) -> None:
    cost = flat(price, price).cost_nusd(Usage(input_tokens=given, output_tokens=made))
    exact = Fraction(price) * (given + made) * 1000
    assert exact <= cost < exact + 1


def test_a_configured_price_goes_before_the_list() -> None:
    price = Price(input=Decimal(1), output=Decimal(2), cache_write=Decimal(4))
    tariff = Prices().tariff_of(replace(SONNET, price=price), NOON)
    usage = Usage(input_tokens=1, output_tokens=1, cache_read_tokens=1, cache_write_tokens=1)
    assert tariff.cost_nusd(usage) == 1000 + 2000 + 1000 + 4000


@pytest.mark.parametrize(
    ("provider", "model", "base_url"),
    [
        ("anthropic", "claude-nonsense-9", ""),
        ("openai", "nobody-knows-it", "http://127.0.0.1:1/v1"),
        ("openai", "text-embedding-3-small", ""),
        ("compatible", "gpt-5", "https://models.example/v1"),
        ("compatible", "gpt-5", "https://127.0.0.1.example/v1"),
        ("compatible", "gpt-5", "nonsense"),
    ],
)
def test_an_unknown_price_means_no_and_says_what_to_set(
    provider: Kind, model: str, base_url: str
) -> None:
    spec = replace(SONNET, provider=provider, model=model, base_url=base_url)
    with pytest.raises(PriceUnknown, match=r"\[models\.clever\.price\].*swarm\.toml") as raised:
        Prices().tariff_of(spec, NOON)
    assert "'input' and 'output'" in str(raised.value)


@pytest.mark.parametrize(
    ("provider", "base_url"),
    [
        ("local", ""),
        ("compatible", "http://127.0.0.1:11434/v1"),
        ("compatible", "http://localhost:8000/v1"),
        ("compatible", "http://[::1]:8000/v1"),
    ],
)
def test_a_model_on_this_machine_costs_nothing(provider: Kind, base_url: str) -> None:
    spec = replace(SONNET, provider=provider, model="llama", base_url=base_url)
    tariff = Prices().tariff_of(spec, NOON)
    assert tariff.is_free
    assert tariff.cost_nusd(Usage(input_tokens=10**9, output_tokens=10**9)) == 0


def test_a_price_from_the_list_touches_no_network_and_starts_no_thread() -> None:
    program = """
import socket, sys, threading
from datetime import UTC, datetime

def watch(event, arguments):
    if event.startswith(("socket.", "urllib.")):
        sys.exit(f"{event} {arguments}")

sys.addaudithook(watch)
from brain.models.provider import ModelSpec
from brain.wallet.prices import Prices

assert "genai_prices" not in sys.modules, "too early"
spec = ModelSpec(name="m", provider="anthropic", model="claude-haiku-4-5")
found = Prices().tariff_of(spec, datetime.now(UTC))
assert "genai_prices" in sys.modules
assert threading.active_count() == 1, threading.enumerate()
print(found.input.base)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, "1"), ran.stderr
