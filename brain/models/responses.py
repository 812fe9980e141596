"""OpenAI through its Responses API.

Nothing is kept at OpenAI (`store=False`): the whole conversation goes with every request.
Source: OpenAI's API reference, "Responses" and "Streaming events".
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

from openai import AsyncStream, OpenAIError
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseErrorEvent,
    ResponseFailedEvent,
    ResponseIncompleteEvent,
    ResponseRefusalDeltaEvent,
    ResponseStreamEvent,
    ResponseTextDeltaEvent,
    ResponseUsage,
)
from openai.types.responses.response_output_message import Content

from brain.model import (
    Capabilities,
    Completion,
    Conversation,
    Message,
    Reader,
    Role,
    Stop,
    ToolCall,
    Usage,
)
from brain.models.capabilities import capabilities_of
from brain.models.fitting import fitted
from brain.models.openai_answers import (
    CallIds,
    call_of,
    estimated,
    is_strict,
    json_of,
    result_of,
    unknown_usage,
    usage,
)
from brain.models.openai_client import Call, Client
from brain.models.openai_errors import Complaint, cut_short, empty_answer, judged
from brain.models.provider import Key, ModelSpec, Provider

_Last = ResponseCompletedEvent | ResponseIncompleteEvent | ResponseFailedEvent
#: how long the end of a stream is waited for when its answer is there: then its socket is used
#: again, else it is closed
_END_S = 0.1
#: between two messages of one answer
_BETWEEN = "\n"


class Responses:
    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._client = Client(spec)
        self.capabilities: Capabilities = capabilities_of(spec)

    async def complete(
        self, conversation: Conversation, key: Key | None, reader: Reader | None = None
    ) -> Completion:
        """One request; raises `ModelFailed`. Streams where the model can, even if nobody reads:
        then its time limit is one of silence, and it is known whether an answer was begun.
        """
        conversation = fitted(conversation, self.capabilities)
        request = self._request(conversation)

        async def answer(call: Call) -> Completion:
            if not self.capabilities.streaming:
                create = self._client.sdk.responses.create
                response = await create(
                    stream=False, extra_headers=call.headers, extra_body=request
                )
                call.heard()
            else:
                response = await self._streamed(request, call, key, reader)
            return self._completion(response, conversation, key)

        return await self._client.ask(key, answer)

    async def close(self) -> None:
        await self._client.close()

    def _request(self, conversation: Conversation) -> dict[str, Any]:
        """The body. It passes the SDK as it is: arguments that the SDK knows it tries on every type
        that they may have, which keeps the event loop for 13 ms when ten exchanges are told.
        """
        request: dict[str, Any] = {
            "model": self._spec.model,
            "input": [item for message in conversation.messages for item in _items(message)],
            "max_output_tokens": conversation.max_output_tokens or self._spec.max_output_tokens,
            "store": False,
        }
        if conversation.system:
            request["instructions"] = conversation.system
        if conversation.tools:
            request["tools"] = [
                {
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters),
                    # Strict ones may leave nothing out, and our tools have optional arguments.
                    "strict": False,
                }
                for tool in conversation.tools
            ]
        if conversation.json_schema is not None:
            schema = dict(conversation.json_schema)
            form = {"type": "json_schema", "name": "answer", "schema": schema}
            request["text"] = {"format": {**form, "strict": is_strict(schema)}}
        return request

    async def _streamed(
        self, request: dict[str, Any], call: Call, key: Key | None, reader: Reader | None
    ) -> Response:
        stream = await self._client.sdk.responses.create(
            stream=True, extra_headers=call.headers, extra_body=request
        )
        call.heard()
        said_in: int | None = None
        async with stream:
            async for event in stream:
                call.heard()
                if isinstance(event, ResponseTextDeltaEvent | ResponseRefusalDeltaEvent):
                    between = "" if said_in in {None, event.output_index} else _BETWEEN
                    said_in = event.output_index
                    if reader is not None:
                        reader.piece(between + event.delta)
                elif isinstance(event, _Last):
                    await _end(stream)
                    return event.response
                elif isinstance(event, ResponseErrorEvent):
                    complaint = Complaint(code=event.code or "", words=event.message)
                    raise judged(complaint, self._spec, key)
        raise cut_short(self._spec)

    def _completion(
        self, response: Response, conversation: Conversation, key: Key | None
    ) -> Completion:
        used = _usage(response.usage)
        notes: tuple[str, ...] = ()
        if (error := response.error) is not None:
            complaint = Complaint(status=400, code=error.code, words=error.message)
            failed = judged(complaint, self._spec, key)
            failed.usage = used
            raise failed
        text = _BETWEEN.join(_messages(response))
        calls = tuple(_calls(response, CallIds(conversation)))
        if used is None:
            used, notes = estimated(conversation, text, calls), unknown_usage(self._spec)
        stop = _stop(response, calls)
        if stop is Stop.DONE and not text.strip():
            raise empty_answer(self._spec, used)
        return Completion(text=text, tool_calls=calls, usage=used, stop=stop, notes=notes)


def connect(spec: ModelSpec) -> Provider:
    """Opens nothing yet: the first request does."""
    return Responses(spec)


def _items(message: Message) -> list[dict[str, Any]]:
    """A message as input items: a turn of the assistant is its words and each of its calls."""
    if message.role is Role.TOOL:
        output = result_of(message)
        call_id = message.tool_call_id
        return [{"type": "function_call_output", "call_id": call_id, "output": output}]
    items: list[dict[str, Any]] = []
    if message.text.strip():
        items.append({"role": message.role.value, "content": message.text})
    for call in message.tool_calls:
        item = {"type": "function_call", "call_id": call.id, "name": call.name}
        items.append({**item, "arguments": json_of(call)})
    return items


# By the names of their types, not by class: the SDK takes items that it does not know for messages.


def _messages(response: Response) -> Iterator[str]:
    for item in response.output:
        if item.type == "message":
            yield "".join(map(_words, item.content))


def _words(part: Content) -> str:
    if part.type == "refusal":
        return part.refusal
    return part.text if part.type == "output_text" else ""


def _calls(response: Response, ids: CallIds) -> Iterator[ToolCall]:
    for item in response.output:
        if item.type == "function_call":
            yield call_of(ids.unique(item.call_id), item.name, item.arguments)


def _stop(response: Response, calls: tuple[ToolCall, ...]) -> Stop:
    cut = response.incomplete_details.reason if response.incomplete_details else None
    if cut == "content_filter" or _has_refusal(response):
        return Stop.REFUSED
    if cut is not None:
        return Stop.LENGTH
    return Stop.TOOLS if calls else Stop.DONE


def _has_refusal(response: Response) -> bool:
    parts = [part for item in response.output if item.type == "message" for part in item.content]
    return any(part.type == "refusal" for part in parts)


def _usage(told: ResponseUsage | None) -> Usage | None:
    if told is None:
        return None
    return usage(told.input_tokens, told.output_tokens, told.input_tokens_details)


async def _end(stream: AsyncStream[ResponseStreamEvent]) -> None:
    """Read to the end, where it is near, so that the connection can be used again."""
    with contextlib.suppress(TimeoutError, OpenAIError, ValueError):
        async with asyncio.timeout(_END_S):
            async for _ in stream:
                pass
