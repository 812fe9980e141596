"""Whatever was said, the request is one that Anthropic takes; the stub's rules are the judge."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from brain.model import Capabilities, Conversation, Message, Role, ToolCall, ToolSpec
from brain.models.anthropic_request import request_of
from brain.models.provider import ModelSpec
from tests.vendors.anthropic_wire import MESSAGES

SPEC = ModelSpec(name="main", provider="anthropic", model="claude-sonnet-5")
TOOLS = (ToolSpec(name="now", description="The time.", parameters={"properties": {}}),)

_texts = st.text(st.sampled_from("ab \n"), max_size=4)


def _turn(draw: st.DrawFn, numbers: itertools.count[int]) -> list[Message]:
    """A question, and steps with calls and their results, as the loop makes them."""
    messages = [Message(role=Role.USER, text=draw(_texts))]
    for _ in range(draw(st.integers(0, 2))):
        ids = [f"call-{next(numbers)}" for _ in range(draw(st.integers(0, 3)))]
        calls = tuple(ToolCall(id=id_, name="now") for id_ in ids)
        messages.append(Message(role=Role.ASSISTANT, text=draw(_texts), tool_calls=calls))
        messages += [
            Message(
                role=Role.TOOL, text=draw(_texts), tool_call_id=id_, is_error=draw(st.booleans())
            )
            for id_ in ids
        ]
    return messages


@st.composite
def _conversations(draw: st.DrawFn) -> Conversation:
    """From anywhere in a session, to a question that is not empty."""
    said = [Message(role=Role.ASSISTANT, text=draw(_texts))] if draw(st.booleans()) else []
    numbers = itertools.count()
    for _ in range(draw(st.integers(0, 3))):
        said += _turn(draw, numbers)
    said.append(Message(role=Role.USER, text="well?"))
    tools = TOOLS if draw(st.booleans()) else ()
    return Conversation(system=draw(_texts), messages=tuple(said), tools=tools)


def _request(conversation: Conversation, *, tools: bool) -> dict[str, Any]:
    able = Capabilities(tools=tools, streaming=True, json_schema=True, context_tokens=1000)
    return dict(request_of(conversation, SPEC, able))


@given(_conversations(), st.booleans())
def test_the_vendor_finds_no_fault_with_it(conversation: Conversation, tools: bool) -> None:  # noqa: FBT001 - hypothesis fills it
    request = _request(conversation, tools=tools)
    assert MESSAGES.complaint(MESSAGES.asked({}, request)) is None
    roles = [turn["role"] for turn in request["messages"]]
    assert all(one != next_ for one, next_ in itertools.pairwise(roles))
    assert ("tools" in request) is bool(conversation.tools and tools)


@given(_conversations())
def test_every_call_and_every_word_is_in_it(conversation: Conversation) -> None:
    request = _request(conversation, tools=True)
    blocks = [block for turn in request["messages"] for block in turn["content"]]
    calls = [call.id for message in conversation.messages for call in message.tool_calls]
    if conversation.tools:
        assert [block["id"] for block in blocks if block["type"] == "tool_use"] == calls
        assert sorted(b["tool_use_id"] for b in blocks if b["type"] == "tool_result") == sorted(
            calls
        )
    told = "\n".join(str(block.get("text", block.get("content", ""))) for block in blocks)
    for message in conversation.messages:
        assert not message.text.strip() or message.text.strip() in told
