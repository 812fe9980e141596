"""POST /v1/chat/completions, as OpenAI, Ollama, vLLM and llama.cpp speak it.

Source: OpenAI's API reference, "Chat".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.vendors.openai_rules import chat_complaint
from tests.vendors.openai_wire import OpenAIErrors
from tests.vendors.script import Asked, Fail, Say, Tokens, pieces
from tests.vendors.wire import Event, bearer

_FINISHES = {
    "done": "stop",
    "tools": "tool_calls",
    "length": "length",
    "refused": "content_filter",
}


@dataclass(frozen=True)
class Chat(OpenAIErrors):
    """A server of chat completions; some tell no usage, and some know not all that others know."""

    tells_usage: bool = True
    knows_stream_options: bool = True
    knows_max_tokens: bool = True
    #: ids of the calls of an answer; None: good ones
    call_ids: tuple[str, ...] | None = None
    path: str = field(default="/v1/chat/completions", init=False)

    def asked(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> Asked:
        messages = body.get("messages") or [{}]
        said = (m["content"] for m in reversed(messages) if m.get("role") == "user")
        return Asked(
            wire="chat",
            model=str(body.get("model", "")),
            key=bearer(headers),
            headers=headers,
            body=body,
            streams=bool(body.get("stream")),
            said=next(said, ""),
            tools=tuple(tool["function"]["name"] for tool in body.get("tools", ())),
            has_result=messages[-1].get("role") == "tool",
        )

    def complaint(self, asked: Asked) -> str | None:
        if not self.knows_stream_options and "stream_options" in asked.body:
            return "Unrecognized request argument supplied: stream_options"
        if not self.knows_max_tokens and "max_tokens" in asked.body:
            return "'max_tokens' is not supported. Use 'max_completion_tokens' instead."
        return chat_complaint(asked.body)

    def whole(self, asked: Asked, say: Say, tokens: Tokens) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": say.text or None}
        calls = self._calls(asked, say)
        if calls:
            message |= {"tool_calls": calls}
        choice = {"index": 0, "message": message, "finish_reason": _FINISHES[say.stop]}
        told = {"usage": _chat_usage(tokens)} if self.tells_usage else {}
        return _completion(asked, "chat.completion") | {"choices": [choice]} | told

    def events(self, asked: Asked, say: Say, tokens: Tokens) -> Iterator[Event]:
        wants_usage = (asked.body.get("stream_options") or {}).get("include_usage")
        tells = self.tells_usage and bool(wants_usage)
        yield _chunk(asked, {"role": "assistant", "content": ""})
        for part in pieces(say.text):
            yield _chunk(asked, {"content": part}, characters=len(part))
        for index, call in enumerate(self._calls(asked, say)):
            arguments = call["function"]["arguments"]
            opened = {**call, "index": index, "function": {**call["function"], "arguments": ""}}
            yield _chunk(asked, {"tool_calls": [opened]})
            for part in pieces(arguments):
                delta = {"index": index, "function": {"arguments": part}}
                yield _chunk(asked, {"tool_calls": [delta]}, characters=len(part))
        yield _chunk(asked, {}, finish=_FINISHES[say.stop], reports=not tells)
        if tells:
            told = {"choices": [], "usage": _chat_usage(tokens)}
            yield Event(_completion(asked, "chat.completion.chunk") | told, reports=True)
        yield Event("[DONE]")

    def error_event(self, fail: Fail) -> Event:
        return Event(self.error(fail))

    def _calls(self, asked: Asked, say: Say) -> list[dict[str, Any]]:
        turn = len(asked.body["messages"])
        ids = self.call_ids or [f"call_stub{turn:03}{n:02}" for n in range(len(say.tools))]
        return [
            {
                "id": ids[n],
                "type": "function",
                "function": {"name": call.name, "arguments": call.json},
            }
            for n, call in enumerate(say.tools)
        ]


CHAT = Chat()


def _chat_usage(tokens: Tokens) -> dict[str, Any]:
    whole_input = tokens.input_tokens + tokens.cache_read_tokens + tokens.cache_write_tokens
    return {
        "prompt_tokens": whole_input,
        "completion_tokens": tokens.output_tokens,
        "total_tokens": whole_input + tokens.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cache_read_tokens,
            "cache_write_tokens": tokens.cache_write_tokens,
        },
    }


def _completion(asked: Asked, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-stub{id(asked):x}",
        "object": kind,
        "created": 1_760_000_000,
        "model": asked.model,
    }


def _chunk(
    asked: Asked,
    delta: dict[str, Any],
    *,
    finish: str | None = None,
    characters: int = 0,
    reports: bool = False,
) -> Event:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    data = _completion(asked, "chat.completion.chunk") | {"choices": [choice]}
    return Event(data, characters=characters, reports=reports)
