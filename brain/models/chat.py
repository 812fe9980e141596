"""OpenAI's chat completions: what Ollama, vLLM, llama.cpp and many hosts speak.

They speak it in dialects: no key, no usage, ids that repeat, options they do not know. What is
asked of them is what nearly all know; who refuses is asked otherwise the next time.
Source: OpenAI's API reference, "Chat"; the compatibility pages of Ollama, vLLM and llama.cpp.
"""

from __future__ import annotations

from typing import Any

from openai import BadRequestError, UnprocessableEntityError
from openai.types.completion_usage import CompletionUsage

from brain.errors import Overloaded
from brain.model import (
    Capabilities,
    Completion,
    Conversation,
    Message,
    Reader,
    Role,
    Stop,
    Usage,
)
from brain.models.capabilities import capabilities_of
from brain.models.chat_draft import Draft
from brain.models.fitting import fitted
from brain.models.openai_answers import (
    CallIds,
    estimated,
    is_strict,
    json_of,
    result_of,
    unknown_usage,
    usage,
)
from brain.models.openai_client import Call, Client
from brain.models.openai_errors import cut_short, empty_answer
from brain.models.provider import Key, ModelSpec, Provider

_STOPS = {"length": Stop.LENGTH, "content_filter": Stop.REFUSED}


class Chat:
    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._client = Client(spec)
        self._knows_stream_options = True
        self._limit = "max_tokens"
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
            try:
                draft = await self._answered(request, call, reader)
            except (BadRequestError, UnprocessableEntityError) as error:
                if not self._learns(error.message):
                    raise
                asked_again = f"{self._spec.name} wanted to be asked in another way"
            else:
                return self._completion(draft, conversation)
            raise Overloaded(asked_again, retry_after_s=0.0)

        return await self._client.ask(key, answer)

    async def close(self) -> None:
        await self._client.close()

    def _request(self, conversation: Conversation) -> dict[str, Any]:
        system = [{"role": "system", "content": conversation.system}] if conversation.system else []
        request: dict[str, Any] = {
            "model": self._spec.model,
            "messages": [*system, *map(_turn, filter(_says_something, conversation.messages))],
            self._limit: conversation.max_output_tokens or self._spec.max_output_tokens,
        }
        if conversation.tools:
            request["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": dict(tool.parameters),
                    },
                }
                for tool in conversation.tools
            ]
        if conversation.json_schema is not None:
            schema = dict(conversation.json_schema)
            form = {"name": "answer", "schema": schema, "strict": is_strict(schema)}
            request["response_format"] = {"type": "json_schema", "json_schema": form}
        return request

    async def _answered(self, request: dict[str, Any], call: Call, reader: Reader | None) -> Draft:
        create = self._client.sdk.chat.completions.create
        draft = Draft(reader if self.capabilities.streaming else None)
        if not self.capabilities.streaming:
            whole = await create(**request, stream=False, extra_headers=call.headers)
            call.heard()
            draft.take_whole(whole)
            return draft
        if self._knows_stream_options:
            request = {**request, "stream_options": {"include_usage": True}}
        stream = await create(**request, stream=True, extra_headers=call.headers)
        call.heard()
        async with stream:
            async for chunk in stream:
                call.heard()
                draft.take(chunk)
        draft.end()
        if not draft.is_whole:
            raise cut_short(self._spec)
        return draft

    def _learns(self, words: str) -> bool:
        """Whether the words of a refusal tell how this server wants to be asked from now on."""
        if self._knows_stream_options and "stream_options" in words:
            self._knows_stream_options = False
            return True
        if self._limit == "max_tokens" and "max_completion_tokens" in words:
            self._limit = "max_completion_tokens"
            return True
        return False

    def _completion(self, draft: Draft, conversation: Conversation) -> Completion:
        ids = CallIds(conversation)
        calls = tuple(part.call(ids) for part in draft.calls)
        used = _usage(draft.usage)
        notes: tuple[str, ...] = ()
        if used is None:
            used, notes = estimated(conversation, draft.text, calls), unknown_usage(self._spec)
        stop = _STOPS.get(draft.finish or "", Stop.TOOLS if calls else Stop.DONE)
        if draft.is_refusal:
            stop = Stop.REFUSED
        if stop is Stop.DONE and not draft.text.strip():
            raise empty_answer(self._spec, used)
        return Completion(text=draft.text, tool_calls=calls, usage=used, stop=stop, notes=notes)


def connect(spec: ModelSpec) -> Provider:
    """Opens nothing yet: the first request does."""
    return Chat(spec)


def _says_something(message: Message) -> bool:
    return bool(message.text.strip() or message.tool_calls) or message.role is Role.TOOL


def _turn(message: Message) -> dict[str, Any]:
    if message.role is Role.TOOL:
        result = {"tool_call_id": message.tool_call_id, "content": result_of(message)}
        return {"role": "tool", **result}
    # Empty text, not null: some chat templates take null for the word "None".
    turn: dict[str, Any] = {"role": message.role.value, "content": message.text}
    if message.tool_calls:
        turn["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json_of(call)},
            }
            for call in message.tool_calls
        ]
    return turn


def _usage(told: CompletionUsage | None) -> Usage | None:
    if told is None:
        return None
    return usage(told.prompt_tokens, told.completion_tokens, told.prompt_tokens_details)
