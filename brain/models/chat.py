"""OpenAI's chat completions: what Ollama, vLLM, llama.cpp and many hosts speak.

They speak it in dialects: no key, no usage, ids that repeat, options they do not know. What is
asked of them is what all of them know.
Source: OpenAI's API reference, "Chat"; the compatibility pages of Ollama, vLLM and llama.cpp.
"""

from __future__ import annotations

from typing import Any

from openai import BadRequestError, UnprocessableEntityError
from openai.types.chat import ChatCompletion
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
from brain.models.openai_answers import CallIds, is_strict, json_of, result_of, usage
from brain.models.openai_client import Call, Client
from brain.models.openai_errors import cut_short, empty_answer
from brain.models.provider import Key, ModelSpec, Provider
from brain.prompting import tokens

_STOPS = {"length": Stop.LENGTH, "content_filter": Stop.REFUSED}


class Chat:
    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._client = Client(spec)
        self._knows_stream_options = True
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
                create = self._client.sdk.chat.completions.create
                whole = await create(**request, stream=False, extra_headers=call.headers)
                draft = _draft_of(whole)
            else:
                draft = await self._streamed(request, call, reader)
            return self._completion(draft, conversation)

        return await self._client.ask(key, answer)

    async def close(self) -> None:
        await self._client.close()

    def _request(self, conversation: Conversation) -> dict[str, Any]:
        system = [{"role": "system", "content": conversation.system}] if conversation.system else []
        request: dict[str, Any] = {
            "model": self._spec.model,
            "messages": [*system, *map(_turn, filter(_says_something, conversation.messages))],
            "max_tokens": conversation.max_output_tokens or self._spec.max_output_tokens,
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

    async def _streamed(self, request: dict[str, Any], call: Call, reader: Reader | None) -> Draft:
        if self._knows_stream_options:
            request = {**request, "stream_options": {"include_usage": True}}
        try:
            stream = await self._client.sdk.chat.completions.create(
                **request, stream=True, extra_headers=call.headers
            )
        except (BadRequestError, UnprocessableEntityError) as error:
            if not (self._knows_stream_options and "stream_options" in error.message):
                raise
            self._knows_stream_options = False
        else:
            call.heard()
            draft = Draft(reader)
            async with stream:
                async for chunk in stream:
                    call.heard()
                    draft.take(chunk)
            if not draft.is_whole:
                raise cut_short(self._spec)
            return draft
        raise Overloaded(f"{self._spec.name} does not tell what it uses", retry_after_s=0.0)

    def _completion(self, draft: Draft, conversation: Conversation) -> Completion:
        ids = CallIds(conversation)
        calls = tuple(part.call(ids) for part in draft.calls)
        used = _usage(draft.usage) if draft.usage else _estimated(conversation, draft)
        stop = _STOPS.get(draft.finish or "", Stop.TOOLS if calls else Stop.DONE)
        if draft.is_refusal:
            stop = Stop.REFUSED
        if stop is Stop.DONE and not draft.text.strip():
            raise empty_answer(self._spec, used)
        notes = (
            () if draft.usage else (f"{self._spec.name} tells no usage: its tokens are estimated",)
        )
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


def _draft_of(whole: ChatCompletion) -> Draft:
    draft = Draft(None)
    draft.take_whole(whole)
    return draft


def _usage(told: CompletionUsage) -> Usage:
    return usage(told.prompt_tokens, told.completion_tokens, told.prompt_tokens_details)


def _estimated(conversation: Conversation, draft: Draft) -> Usage:
    written = "".join([draft.text, *(part.name + part.arguments for part in draft.calls)])
    return Usage(
        input_tokens=tokens.of_conversation(conversation),
        output_tokens=max(1, tokens.estimate(written)),
    )
