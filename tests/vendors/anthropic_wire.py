"""POST /v1/messages, as Anthropic's Messages API speaks it.

Sources: platform.claude.com/docs "Messages", "Streaming Messages", "Errors", "Prompt caching".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.vendors.script import Asked, Fail, Say, Tokens, pieces
from tests.vendors.wire import Event, bearer

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_SENTENCES = {
    401: "invalid x-api-key",
    403: "Your API key does not have permission to use the specified resource.",
    413: "Request exceeds the maximum size",
    429: "This request would exceed your organization's rate limit.",
    500: "Internal server error",
    529: "Overloaded",
}
_STOPS = {"done": "end_turn", "tools": "tool_use", "length": "max_tokens", "refused": "refusal"}
_MOST_BREAKPOINTS = 4


class _Messages:
    path = "/v1/messages"

    def asked(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> Asked:
        turns = body.get("messages") or [{}]
        last = _blocks(turns[-1].get("content", ""))
        results = [block for block in last if block["type"] == "tool_result"]
        return Asked(
            wire="messages",
            model=str(body.get("model", "")),
            key=bearer(headers),
            headers=headers,
            body=body,
            streams=bool(body.get("stream")),
            said=_last_said(turns),
            tools=tuple(tool["name"] for tool in body.get("tools", ())),
            has_result=bool(results),
            result="\n".join(str(block.get("content", "")) for block in results),
        )

    def complaint(self, asked: Asked) -> str | None:
        body = asked.body
        for name in ("model", "max_tokens", "messages"):
            if not body.get(name):
                return f"{name}: Field required"
        if len(list(_breakpoints(body))) > _MOST_BREAKPOINTS:
            return "A maximum of 4 blocks with cache_control may be provided."
        return _turns_complaint(body["messages"])

    def whole(self, asked: Asked, say: Say, tokens: Tokens) -> dict[str, Any]:
        content: list[dict[str, Any]] = [{"type": "text", "text": say.text}] if say.text else []
        content += [
            _tool_use(asked, number, call.name) | {"input": call.parsed}
            for number, call in enumerate(say.tools)
        ]
        return _message(asked) | {
            "content": content,
            "stop_reason": _STOPS[say.stop],
            "usage": _input_usage(tokens) | {"output_tokens": tokens.output_tokens},
        }

    def events(self, asked: Asked, say: Say, tokens: Tokens) -> Iterator[Event]:
        message = _message(asked) | {"usage": _input_usage(tokens) | {"output_tokens": 1}}
        yield _event("message_start", message=message)
        yield _event("ping")
        if say.text:
            yield from _block(
                0, {"type": "text", "text": ""}, "text_delta", "text", pieces(say.text)
            )
        for index, call in enumerate(say.tools, start=1 if say.text else 0):
            # The first piece of arguments is always empty.
            parts = ["", *pieces(call.json)]
            block = _tool_use(asked, index, call.name)
            yield from _block(index, block, "input_json_delta", "partial_json", parts)
        yield _event(
            "message_delta",
            reports=True,
            delta={"stop_reason": _STOPS[say.stop], "stop_sequence": None},
            usage={"output_tokens": tokens.output_tokens},
        )
        yield _event("message_stop")

    def error(self, fail: Fail) -> dict[str, Any]:
        usual = "api_error" if fail.status >= 500 else "invalid_request_error"
        kind = fail.kind or _KINDS.get(fail.status, usual)
        sentence = fail.message or _SENTENCES.get(fail.status, "An error.")
        return {
            "type": "error",
            "error": {"type": kind, "message": sentence},
            "request_id": "req_stub",
        }

    def error_event(self, fail: Fail) -> Event:
        return Event(self.error(fail), "error")

    def error_headers(self, fail: Fail) -> dict[str, str]:
        headers = {"request-id": "req_stub"}
        if fail.retry_after_s is not None:
            headers["retry-after"] = str(math.ceil(fail.retry_after_s))
        return headers

    def no_such_model(self, model: str) -> Fail:
        return Fail(404, f"model: {model}")

    def wrong_key(self) -> Fail:
        return Fail(401)


MESSAGES = _Messages()


def prompt_too_long(tokens: int, limit: int) -> Fail:
    """The answer to a conversation that is longer than the model can read."""
    return Fail(400, f"prompt is too long: {tokens} tokens > {limit} maximum")


def _event(name: str, *, reports: bool = False, characters: int = 0, **data: Any) -> Event:
    return Event({"type": name} | data, name, reports=reports, characters=characters)


def _block(
    index: int, block: dict[str, Any], delta: str, key: str, parts: Iterable[str]
) -> Iterator[Event]:
    yield _event("content_block_start", index=index, content_block=block)
    for part in parts:
        content = {"type": delta, key: part}
        yield _event("content_block_delta", index=index, delta=content, characters=len(part))
    yield _event("content_block_stop", index=index)


def _message(asked: Asked) -> dict[str, Any]:
    return {
        "id": f"msg_stub{id(asked):x}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _tool_use(asked: Asked, number: int, name: str) -> dict[str, Any]:
    turn = len(asked.body["messages"])
    return {"type": "tool_use", "id": f"toolu_{turn:03}{number:02}", "name": name, "input": {}}


def _input_usage(tokens: Tokens) -> dict[str, Any]:
    return {
        "input_tokens": tokens.input_tokens,
        "cache_creation_input_tokens": tokens.cache_write_tokens,
        "cache_read_input_tokens": tokens.cache_read_tokens,
    }


def _blocks(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _last_said(turns: list[dict[str, Any]]) -> str:
    for turn in reversed(turns):
        texts = [b["text"] for b in _blocks(turn.get("content", "")) if b["type"] == "text"]
        if turn.get("role") == "user" and texts:
            return "\n".join(texts)
    return ""


def _breakpoints(body: Mapping[str, Any]) -> Iterator[Any]:
    for part in [*_blocks(body.get("system", [])), *body.get("tools", ())]:
        yield from [part] if "cache_control" in part else []
    for turn in body["messages"]:
        for block in _blocks(turn["content"]):
            yield from [block] if "cache_control" in block else []


def _turns_complaint(turns: list[dict[str, Any]]) -> str | None:
    """The rules for messages: a person first, no empty text, each tool call has its result."""
    if turns[0]["role"] != "user":
        return "messages: first message must use the user role"
    pending: set[str] = set()
    for number, turn in enumerate(turns):
        blocks = _blocks(turn["content"])
        if not blocks or any(b["type"] == "text" and not b["text"].strip() for b in blocks):
            return "messages: text content blocks must be non-empty"
        results = {b["tool_use_id"] for b in blocks if b["type"] == "tool_result"}
        if missing := pending - results:
            return (
                f"messages.{number}: `tool_use` ids were found without `tool_result` blocks "
                f"immediately after: {', '.join(sorted(missing))}"
            )
        if results - pending:
            return f"messages.{number}: unexpected `tool_use_id` found in `tool_result` blocks"
        pending = {b["id"] for b in blocks if b["type"] == "tool_use"}
    return None
