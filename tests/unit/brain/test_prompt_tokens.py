"""Tokens are guessed near enough, and never beyond what bytes allow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.model import Conversation, Message, Role, ToolCall, ToolSpec
from brain.prompting.tokens import (
    ANSWER_TOKENS,
    PER_MESSAGE,
    SMALL_CONTEXT,
    TOOLS_TOKENS,
    estimate,
    of_conversation,
    of_messages,
    of_tool,
    windows,
)
from brain.tools.catalogue import TOOLS

TEXT = st.text(max_size=300)


def bound(text: str) -> int:
    """No fewer than it can be: no token of a tokenizer over bytes is shorter than a byte."""
    return len(text.encode("utf-8", "surrogatepass"))


@given(TEXT)
def test_a_guess_is_never_more_than_the_bytes(text: str) -> None:
    assert 0 <= estimate(text) <= bound(text)
    assert (estimate(text) == 0) <= (not text.strip())


@given(TEXT, TEXT)
def test_two_texts_together_are_no_more_than_each_by_itself(one: str, two: str) -> None:
    assert estimate(f"{one} {two}") == estimate(one) + estimate(two)
    assert estimate(one + two) <= estimate(one) + bound(two)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # counted with the tokenizer of a small model (SmolLM2, 49,152 tokens)
        ("You lead a small crew and you are calm about it.", 12),
        ("1234567890 " * 50, 550),
        ("\U0001f389\U0001f525 ok \U0001f44d\U0001f3fd " * 20, 340),
        ("    x\n        y\n" * 30, 121),
    ],
)
def test_a_guess_is_near(text: str, tokens: int) -> None:
    assert 0.6 * tokens <= estimate(text) <= 1.5 * tokens


def test_a_conversation_counts_everything_that_is_sent() -> None:
    messages = (
        Message(role=Role.USER, text="who?"),
        Message(
            role=Role.ASSISTANT,
            tool_calls=(ToolCall(id="1", name="seen", arguments={"nick": "a"}),),
        ),
    )
    tool = ToolSpec(name="seen", description="When?", parameters={"type": "object"})
    bare = of_conversation(Conversation(system="Be short.", messages=messages))
    assert bare == estimate("Be short.") + of_messages(messages)
    assert of_messages(messages[:1]) == PER_MESSAGE + estimate("who?")
    assert of_messages(messages[1:]) > 2 * PER_MESSAGE
    assert (
        of_conversation(Conversation(system="Be short.", messages=messages, tools=(tool,))) > bare
    )


@given(context=st.integers(0, 2_000_000), has_tools=st.booleans())
def test_windows_leave_room_for_the_question(*, context: int, has_tools: bool) -> None:
    found = windows(context, has_tools=has_tools)
    assert found.history >= 0
    assert found.talk >= 0
    assert found.history + found.talk <= max(0, context - ANSWER_TOKENS) // 2
    assert found.history <= 8_000


def test_what_is_reckoned_for_tools_is_what_a_turn_is_shown() -> None:
    shown = sum(of_tool(one.spec) for one in TOOLS if one.shown_if not in {"leads", "is_delegated"})
    assert 0.95 * TOOLS_TOKENS <= shown <= 1.05 * TOOLS_TOKENS


def test_a_small_model_remembers_too() -> None:
    assert windows(SMALL_CONTEXT, has_tools=True).history >= 300
    bare = windows(SMALL_CONTEXT, has_tools=False)
    assert bare.history >= 500
    assert bare.talk > 100
    assert windows(SMALL_CONTEXT - 1, has_tools=True).history < 300
    assert windows(SMALL_CONTEXT // 2, has_tools=True).history == 0
