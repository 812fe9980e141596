"""What a model is to Parley: a conversation goes in, a completion comes out.

The values carry what the Messages API of Anthropic, and the responses and chat completions of
OpenAI, all need, and nothing else. The offline brain speaks through the same door.
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
    #: what the model wrote where it is no JSON object; the loop tells the model, and calls nothing
    unreadable: str = ""


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
class Occasion:
    """On whose behalf a model is asked: what the call is booked on."""

    agent: str
    #: session key, such as ``discord:#lobby``; ``heartbeat`` for a turn that nobody asked for
    session: str
    #: what has a budget of its own: ``inbox:12``, later a delegation
    task: str
    trace_id: str


@dataclass(frozen=True, kw_only=True)
class Conversation:
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    #: None: at nobody's cost (the offline brain, tests)
    occasion: Occasion | None = None
    #: the most that may be answered; None: what the model's settings say
    max_output_tokens: int | None = None
    #: JSON schema that the answer's text must fit, for models whose capabilities have it
    json_schema: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens as a provider bills them: the four counts do not overlap."""

    input_tokens: int = 0
    output_tokens: int = 0
    #: read from, and written to, the provider's prompt cache
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
        )

    @property
    def total(self) -> int:
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_read_tokens
            + self.cache_write_tokens
        )


class Stop(StrEnum):
    """Why a model stopped."""

    DONE = "done"
    TOOLS = "tools"
    #: at `max_output_tokens`: the text is cut
    LENGTH = "length"
    #: it would not answer; the text says so, or is empty
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Completion:
    """Either text, the answer; or tool calls, perhaps with text beside them."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    stop: Stop = Stop.DONE
    #: who answered where it is not the model that was asked first (see `brain.models.chain`)
    model: str = ""
    label: str = ""
    #: what people should know about how it came to be, such as a fallback
    notes: tuple[str, ...] = ()
    #: what it cost, in billionths of a US dollar
    cost_nusd: int = 0


class Reader(Protocol):
    """Who reads an answer while it is made. Neither may block or raise."""

    def piece(self, text: str) -> None:
        """The next piece of text."""

    def anew(self) -> None:
        """What was given so far is void: the answer begins again."""


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What a model can do, as data, so that nobody asks for its class."""

    tools: bool
    streaming: bool
    json_schema: bool
    context_tokens: int
    #: its judgement is not to be relied on: kept from decisions, and said to people
    is_weak: bool = False


class Model(Protocol):
    @property
    def name(self) -> str:
        """Name for records, such as ``offline``."""

    @property
    def label(self) -> str:
        """What people are shown, such as ``offline brain``."""

    @property
    def capabilities(self) -> Capabilities: ...

    async def query(self, conversation: Conversation, reader: Reader | None = None) -> Completion:
        """One completion; raises `ModelFailed`. Cancelling it ends the work at once, connections
        included. `reader` gets the text as it comes, from models that stream.
        """
