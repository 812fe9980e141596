"""Both of OpenAI's adapters on the stub, and what is asked of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from brain.errors import ModelFailed
from brain.model import Completion, Conversation, Message, Role, ToolCall, ToolSpec
from brain.models import chat, responses
from brain.models.provider import Key, ModelSpec, Provider
from tests.vendors.server import Stub

PATIENCE_S = 5.0
SECRET = "sk-proj-not-a-real-key-0123456789"
KEY = Key(name="env:TEST_KEY", value=SECRET)
CLOCK = ToolSpec(
    name="clock",
    description="The time.",
    parameters={
        "type": "object",
        "properties": {"zone": {"type": "string"}},
        "required": [],
        "additionalProperties": False,
    },
)
HELLO = Conversation(
    system="You are rook.", messages=(Message(role=Role.USER, text="Hello?"),), tools=(CLOCK,)
)
#: a question, the calls it led to, and what they found
TOLD = Conversation(
    system="You are rook.",
    messages=(
        Message(role=Role.USER, text="What time is it?"),
        Message(
            role=Role.ASSISTANT,
            text="I look.",
            tool_calls=(
                ToolCall(id="a1", name="clock", arguments={"zone": "UTC"}),
                ToolCall(id="a2", name="clock", unreadable="{zone"),
            ),
        ),
        Message(role=Role.TOOL, text="12:00", tool_call_id="a1"),
        Message(role=Role.TOOL, text="no JSON", tool_call_id="a2", is_error=True),
    ),
    tools=(CLOCK,),
)

Connect = Callable[..., Provider]


class Pieces:
    """A reader that keeps what it is given, and tells when the first came."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.first = asyncio.Event()

    def piece(self, text: str) -> None:
        self.texts.append(text)
        self.first.set()

    def anew(self) -> None:
        self.texts.clear()


@asynccontextmanager
async def connecting(stub: Stub, kind: str) -> AsyncIterator[Connect]:
    """Makes providers of `kind` on the stub, with changes to their specification; closes them."""
    async with AsyncExitStack() as made:

        def make(**changes: Any) -> Provider:
            given: dict[str, Any] = {
                "name": "main",
                "provider": kind,
                "model": "gpt-5-mini",
                "base_url": stub.openai_url,
                "timeout_s": PATIENCE_S,
            }
            connect = responses.connect if kind == "openai" else chat.connect
            provider = connect(ModelSpec(**given | changes))
            made.push_async_callback(provider.close)
            return provider

        yield make


async def failing(
    provider: Provider, conversation: Conversation = HELLO, key: Key | None = KEY
) -> ModelFailed:
    with pytest.raises(ModelFailed) as caught:
        await provider.complete(conversation, key)
    return caught.value


def called(completion: Completion) -> list[tuple[str, dict[str, Any]]]:
    return [(call.name, dict(call.arguments)) for call in completion.tool_calls]
