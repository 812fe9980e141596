"""An answer of chat completions while it grows, chunk by chunk. Values in, values out."""

from __future__ import annotations

from dataclasses import dataclass

from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDelta, ChoiceDeltaToolCall
from openai.types.completion_usage import CompletionUsage

from brain.model import Reader, ToolCall
from brain.models.aloud import Aloud
from brain.models.openai_answers import CallIds, call_of


@dataclass(kw_only=True)
class CallDraft:
    """A tool call as far as it came."""

    id: str
    name: str
    arguments: str

    def call(self, ids: CallIds) -> ToolCall:
        return call_of(ids.unique(self.id), self.name, self.arguments)


class Draft:
    """Text goes on to `reader` as it comes. A server's answer ends with a reason to finish; one
    without was cut off.
    """

    def __init__(self, reader: Reader | None) -> None:
        self._reader = reader
        self._aloud = Aloud()
        self._pieces: list[str] = []
        #: position in `calls` by the index that the server gave it
        self._places: dict[int, int] = {}
        self.calls: list[CallDraft] = []
        self.usage: CompletionUsage | None = None
        self.finish: str | None = None
        self.is_refusal = False

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def is_whole(self) -> bool:
        return self.finish is not None

    def take(self, chunk: ChatCompletionChunk) -> None:
        self.usage = chunk.usage or self.usage
        # The chunk with the usage has no choices, and some servers leave the field out.
        for choice in chunk.choices or ():
            if choice.delta:
                self._take_delta(choice.delta)
            self.finish = choice.finish_reason or self.finish

    def end(self) -> None:
        """No more comes."""
        self._pass_on(self._aloud.rest())

    def take_whole(self, completion: ChatCompletion) -> None:
        self.usage = completion.usage
        choice = completion.choices[0]
        message = choice.message
        self._say(message.content)
        self._refuse(message.refusal)
        for call in message.tool_calls or ():
            if call.type != "custom":
                function = call.function
                draft = CallDraft(id=call.id, name=function.name, arguments=function.arguments)
                self.calls.append(draft)
        self.finish = choice.finish_reason
        self.end()

    def _take_delta(self, delta: ChoiceDelta) -> None:
        self._say(delta.content)
        self._refuse(delta.refusal)
        for part in delta.tool_calls or ():
            self._take_call(part)

    def _take_call(self, part: ChoiceDeltaToolCall) -> None:
        """A part with a new id begins a call even under an old index: some servers count badly."""
        name = (part.function and part.function.name) or ""
        arguments = (part.function and part.function.arguments) or ""
        place = self._places.get(part.index)
        known = self.calls[place] if place is not None else None
        if known is None or (part.id and name and part.id != known.id):
            self._places[part.index] = len(self.calls)
            self.calls.append(CallDraft(id=part.id or "", name=name, arguments=arguments))
        else:
            known.arguments += arguments

    def _say(self, text: str | None) -> None:
        if text:
            self._pass_on(self._aloud.of(text))

    def _pass_on(self, text: str) -> None:
        if text:
            self._pieces.append(text)
            if self._reader is not None:
                self._reader.piece(text)

    def _refuse(self, text: str | None) -> None:
        if text:
            self.is_refusal = True
            self._say(text)
