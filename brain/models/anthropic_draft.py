"""An answer of Anthropic's while it is made: events in, a completion out.

The SDK does not check what it parses, and would read half an argument as a whole one; so events
are matched by shape here, and arguments parsed when they are complete.
"""

from __future__ import annotations

import json
from typing import Any

from anthropic.types import (
    InputJSONDelta,
    Message,
    MessageDeltaUsage,
    RawContentBlockDeltaEvent,
    RawContentBlockStartEvent,
    RawMessageDeltaEvent,
    RawMessageStartEvent,
    RawMessageStopEvent,
    RawMessageStreamEvent,
    TextBlock,
    TextDelta,
    ToolUseBlock,
)
from anthropic.types import Usage as Counted

from brain.errors import BadAnswer, CutShort
from brain.model import Completion, Reader, Stop, ToolCall, Usage
from brain.models.provider import MOST_TOKENS

_STOPS = {
    "max_tokens": Stop.LENGTH,
    "model_context_window_exceeded": Stop.LENGTH,
    "refusal": Stop.REFUSED,
}
#: our names for counts, and the vendor's
_COUNTS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
}


class Draft:
    """`provider` is named when the answer is no good; `reader` gets the text as it comes."""

    def __init__(self, provider: str, reader: Reader | None) -> None:
        self._provider = provider
        self._reader = reader
        self._texts: list[str] = []
        #: id, name and pieces of the arguments, by the number of their block
        self._calls: dict[int, tuple[str, str, list[str]]] = {}
        self._counts: dict[str, int] = {}
        self._reason: str | None = None
        self._has_begun = False
        self._is_whole = False

    @property
    def has_begun(self) -> bool:
        """The model had read the conversation."""
        return self._has_begun

    def take(self, event: RawMessageStreamEvent) -> None:
        match event:
            case RawMessageStartEvent(message=Message(usage=counted)):
                self._has_begun = True
                self._count(counted)
            case RawContentBlockStartEvent(
                index=int(index), content_block=ToolUseBlock(id=str(id_), name=str(name))
            ):
                self._calls[index] = (id_, name, [])
            case RawContentBlockStartEvent(content_block=TextBlock(text=str(text))):
                self._say(text)
            case RawContentBlockDeltaEvent(delta=TextDelta(text=str(text))):
                self._say(text)
            case RawContentBlockDeltaEvent(
                index=int(index), delta=InputJSONDelta(partial_json=str(part))
            ) if index in self._calls:
                self._calls[index][2].append(part)
            case RawMessageDeltaEvent(delta=delta, usage=counted):
                self._reason = getattr(delta, "stop_reason", None)
                self._count(counted)
            case RawMessageStopEvent():
                self._is_whole = True

    def take_whole(self, message: Message) -> None:
        """An answer that was not streamed."""
        match message:
            case Message(content=list(blocks), usage=counted, stop_reason=reason):
                self._has_begun = self._is_whole = True
                self._reason = reason
                self._count(counted)
            case _:
                return
        for index, block in enumerate(blocks):
            match block:
                case TextBlock(text=str(text)):
                    self._say(text)
                case ToolUseBlock(id=str(id_), name=str(name), input=given):
                    self._calls[index] = (id_, name, [json.dumps(given)])

    def completion(self) -> Completion:
        """The answer, when all events have come.

        :raises CutShort: they have not
        :raises BadAnswer: there is nothing in it
        """
        if not self._has_begun:
            raise BadAnswer(f"{self._provider} answered with something that is no message")
        if not self._is_whole:
            raise CutShort(f"{self._provider} ended the answer in the middle")
        text = "".join(self._texts)
        calls = tuple(_call(*call) for call in self._calls.values())
        stop = _STOPS.get(self._reason or "", Stop.TOOLS if calls else Stop.DONE)
        if not calls and not text.strip() and stop is not Stop.REFUSED:
            raise self._empty(stop)
        return Completion(text=text, tool_calls=calls, usage=self._usage, stop=stop)

    def _empty(self, stop: Stop) -> BadAnswer:
        why = ", for its tokens were used up" if stop is Stop.LENGTH else ""
        error = BadAnswer(f"{self._provider} gave an empty answer{why}")
        error.usage = self._usage
        return error

    @property
    def _usage(self) -> Usage:
        return Usage(**self._counts)

    def _say(self, text: str) -> None:
        if not text:
            return
        self._texts.append(text)
        if self._reader is not None:
            self._reader.piece(text)

    def _count(self, counted: Counted | MessageDeltaUsage) -> None:
        """Later counts are totals, not additions; what is left out of them stands. Raises
        `ValueError` for what nobody can have counted.
        """
        for ours, theirs in _COUNTS.items():
            count: Any = getattr(counted, theirs, None)
            if isinstance(count, int) and count > MOST_TOKENS:
                raise ValueError("no answer takes so many tokens")
            if isinstance(count, int) and count >= 0:
                self._counts[ours] = count


def _call(id_: str, name: str, parts: list[str]) -> ToolCall:
    text = "".join(parts)
    try:
        arguments = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return ToolCall(id=id_, name=name, unreadable=text)
    if not isinstance(arguments, dict):
        return ToolCall(id=id_, name=name, unreadable=text)
    return ToolCall(id=id_, name=name, arguments=arguments)
