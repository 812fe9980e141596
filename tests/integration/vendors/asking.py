"""What the tests of the adapters ask with: a key, a conversation, a reader."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from brain.errors import ModelFailed
from brain.model import Conversation, Message, Role, ToolSpec
from brain.models.provider import Key, Provider

PATIENCE_S = 5.0
SECRET = "sk-ant-not-a-real-key-0123456789"
KEY = Key(name="env:TEST_KEY", value=SECRET)
NOW = ToolSpec(
    name="now",
    description="The time.",
    parameters={"properties": {"zone": {"type": "string"}}, "required": ["zone"]},
)
HELLO = Conversation(
    system="You are rook.", messages=(Message(role=Role.USER, text="Hello?"),), tools=(NOW,)
)


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


#: makes a provider on the stub; takes changes to its specification
Connect = Callable[..., Provider]


async def failure(provider: Provider, conversation: Conversation = HELLO) -> ModelFailed:
    with pytest.raises(ModelFailed) as caught:
        await provider.complete(conversation, KEY)
    return caught.value
