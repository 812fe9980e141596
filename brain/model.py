"""What a model is to Parley: a conversation goes in, a completion comes out.

The values carry what the Messages API of Anthropic and the chat completions of OpenAI both
need, and nothing else. The offline brain speaks through the same door.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Role(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """A model's wish to have a tool called."""

    #: pairs the call with its result; unique within one conversation
    id: str
    name: str
    #: as the model gave them, not yet checked against the tool's schema
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Message:
    role: Role
    text: str = ""
    #: assistant only
    tool_calls: tuple[ToolCall, ...] = ()
    #: tool only: the call that this text is the result of
    tool_call_id: str = ""
    #: tool only: the call failed and the text says why
    is_error: bool = False


@dataclass(frozen=True, kw_only=True)
class ToolSpec:
    """A tool as a model sees it."""

    name: str
    description: str
    #: JSON schema of the arguments, an object
    parameters: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Conversation:
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Usage:
    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, kw_only=True)
class Completion:
    """Either text, the answer; or tool calls, perhaps with text beside them."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a model can do, as data, so that nobody asks for its class."""

    tools: bool
    streaming: bool
    json_schema: bool
    context_tokens: int


class Model(Protocol):
    @property
    def name(self) -> str:
        """Name for records, such as ``offline``."""

    @property
    def label(self) -> str:
        """What people are shown, such as ``offline brain``."""

    @property
    def capabilities(self) -> Capabilities: ...

    async def query(self, conversation: Conversation) -> Completion:
        """One completion; raises `ModelFailed`. Cancelling it ends the work at once."""
