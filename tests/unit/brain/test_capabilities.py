"""What is known of models, and what the operator knows better."""

from __future__ import annotations

from dataclasses import replace

import pytest

from brain.models.capabilities import capabilities_of
from brain.models.provider import Kind, ModelSpec


def spec(provider: Kind, model: str) -> ModelSpec:
    return ModelSpec(name="m", provider=provider, model=model)


@pytest.mark.parametrize(
    ("provider", "model", "context_tokens", "tools", "json_schema"),
    [
        ("anthropic", "claude-3-5-haiku-latest", 200_000, True, False),
        ("anthropic", "claude-sonnet-4-20250514", 200_000, True, False),
        ("anthropic", "claude-sonnet-4-5", 200_000, True, True),
        ("anthropic", "claude-haiku-4-5-20251001", 200_000, True, True),
        ("anthropic", "claude-opus-4-6", 1_000_000, True, True),
        ("anthropic", "us.anthropic.claude-opus-5", 1_000_000, True, True),
        ("anthropic", "somebody's own", 200_000, True, False),
        ("openai", "gpt-3.5-turbo", 16_385, True, False),
        ("openai", "gpt-4", 8_192, True, False),
        ("openai", "gpt-4-0613", 8_192, True, False),
        ("openai", "gpt-4o-mini", 128_000, True, True),
        ("openai", "ft:gpt-4o-mini:acme::x1", 128_000, True, True),
        ("openai", "gpt-4.1-nano", 1_000_000, True, True),
        ("openai", "gpt-5-mini", 272_000, True, True),
        ("openai", "gpt-5.1-codex-mini", 272_000, True, True),
        ("openai", "gpt-5.4", 1_000_000, True, True),
        ("openai", "gpt-5.4-mini", 272_000, True, True),
        ("openai", "gpt-6-sol", 1_000_000, True, True),
        ("openai", "o3-mini", 200_000, True, True),
        ("openai", "o1-mini", 128_000, False, False),
        ("openai", "not yet born", 128_000, True, True),
        ("compatible", "openai/gpt-4o", 128_000, True, True),
        ("compatible", "anthropic/claude-sonnet-4.5", 200_000, True, True),
        ("compatible", "llama3.2", 4_096, True, False),
        ("compatible", "meta-llama/Llama-3.1-8B-Instruct", 4_096, True, False),
        ("compatible", "Qwen/Qwen3-8B", 4_096, True, False),
        ("compatible", "gpt-oss:20b", 4_096, True, False),
        ("compatible", "llama2", 4_096, False, False),
        ("compatible", "gemma3:4b", 4_096, False, False),
        ("compatible", "a-file-on-my-disk.gguf", 4_096, False, False),
        ("local", "", 4_096, False, True),
    ],
)
def test_families_are_known_and_strangers_are_met_with_care(
    provider: Kind, model: str, context_tokens: int, *, tools: bool, json_schema: bool
) -> None:
    known = capabilities_of(spec(provider, model))
    assert (known.context_tokens, known.tools, known.json_schema) == (
        context_tokens,
        tools,
        json_schema,
    )
    assert known.streaming


@pytest.mark.parametrize(
    ("provider", "model", "is_weak"),
    [
        ("local", "", True),
        ("compatible", "qwen2.5:0.5b", True),
        ("compatible", "HuggingFaceTB/SmolLM2-135M-Instruct", True),
        ("compatible", "llama3.2:1b", True),
        ("compatible", "llama3.2:3b", False),
        ("compatible", "qwen3:30b-a3b", False),
        ("compatible", "Qwen2.5-7B-Instruct-1M", False),
        ("compatible", "mixtral:8x7b", False),
        ("openai", "gpt-4.1-mini", False),
        ("anthropic", "claude-haiku-4-5", False),
    ],
)
def test_few_parameters_are_a_weak_judgement(provider: Kind, model: str, *, is_weak: bool) -> None:
    assert capabilities_of(spec(provider, model)).is_weak is is_weak


def test_no_setting_gives_tools_to_a_weak_judgement() -> None:
    small = ModelSpec(name="m", provider="compatible", model="qwen2.5:0.5b", tools=True)
    assert not capabilities_of(small).tools
    assert capabilities_of(replace(small, model="qwen2.5:7b")).tools


def test_what_the_operator_says_comes_first() -> None:
    told = capabilities_of(
        ModelSpec(
            name="m",
            provider="compatible",
            model="gemma3:4b",
            context_tokens=32_768,
            tools=True,
            streaming=False,
            json_schema=True,
        )
    )
    assert (told.context_tokens, told.tools, told.streaming, told.json_schema) == (
        32_768,
        True,
        False,
        True,
    )
