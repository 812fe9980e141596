"""POST /v1/responses, as OpenAI speaks it.

Source: OpenAI's API reference, "Responses" and "Streaming events".
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from tests.vendors.openai_rules import responses_complaint
from tests.vendors.openai_wire import OpenAIErrors
from tests.vendors.script import Asked, Fail, Say, Tokens, pieces
from tests.vendors.wire import Event, bearer


class Responses(OpenAIErrors):
    path = "/v1/responses"

    def asked(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> Asked:
        items = body.get("input") or []
        return Asked(
            wire="responses",
            model=str(body.get("model", "")),
            key=bearer(headers),
            headers=headers,
            body=body,
            streams=bool(body.get("stream")),
            said=next((i["content"] for i in reversed(items) if i.get("role") == "user"), ""),
            tools=tuple(tool["name"] for tool in body.get("tools", ())),
            has_result=bool(items) and items[-1].get("type") == "function_call_output",
        )

    def complaint(self, asked: Asked) -> str | None:
        return responses_complaint(asked.body)

    def whole(self, asked: Asked, say: Say, tokens: Tokens) -> dict[str, Any]:
        speaks = say.text or say.stop == "refused"
        output = [_thought(), *(_message(say) if speaks else []), *_calls(asked, say)]
        is_cut = say.stop == "length"
        return _response(asked) | {
            "status": "incomplete" if is_cut else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if is_cut else None,
            "output": output,
            "usage": _responses_usage(tokens),
        }

    def events(self, asked: Asked, say: Say, tokens: Tokens) -> Iterator[Event]:
        numbers = itertools.count()
        for event in self._events(asked, say, tokens):
            assert isinstance(event.data, Mapping)
            data = {**event.data, "sequence_number": next(numbers)}
            name = str(data["type"])
            yield Event(data, name, characters=event.characters, reports=event.reports)

    def _events(self, asked: Asked, say: Say, tokens: Tokens) -> Iterator[Event]:
        begun = _response(asked) | {"status": "in_progress", "output": [], "usage": None}
        yield Event({"type": "response.created", "response": begun})
        yield Event({"type": "response.in_progress", "response": begun})
        whole = self.whole(asked, say, tokens)
        for index, item in enumerate(whole["output"]):
            yield from _item_events(index, item)
        yield Event(
            {"type": f"response.{whole['status']}", "response": whole},
            reports=True,
        )

    def error_event(self, fail: Fail) -> Event:
        """OpenAI has three ways: a response that failed, an error, and an error in an envelope."""
        error = self.error(fail)["error"]
        if fail.status >= 500:
            said = {"code": error["code"] or "server_error", "message": error["message"]}
            response: dict[str, Any] = {"id": "resp_stub", "object": "response"}
            response |= {"status": "failed", "error": said, "output": [], "usage": None}
            return Event({"type": "response.failed", "response": response}, "response.failed")
        if fail.status == 429:
            return Event({**error, "type": "error", "sequence_number": 9}, "error")
        return Event({"type": "error", "sequence_number": 9, "error": error}, "error")


RESPONSES = Responses()


def _response(asked: Asked) -> dict[str, Any]:
    return {
        "id": f"resp_stub{id(asked):x}",
        "object": "response",
        "created_at": 1_760_000_000,
        "model": asked.model,
        "error": None,
        "incomplete_details": None,
        "instructions": asked.body.get("instructions"),
        "max_output_tokens": asked.body.get("max_output_tokens"),
        "parallel_tool_calls": True,
        "store": False,
        "tool_choice": "auto",
        "tools": asked.body.get("tools", []),
    }


def _thought() -> dict[str, Any]:
    """What a model that reasons puts before everything else; nobody needs it."""
    return {"type": "reasoning", "id": "rs_stub", "summary": []}


def _message(say: Say) -> list[dict[str, Any]]:
    if say.stop == "refused":
        part: dict[str, Any] = {"type": "refusal", "refusal": say.text}
    else:
        part = {"type": "output_text", "text": say.text, "annotations": [], "logprobs": []}
    status = "incomplete" if say.stop == "length" else "completed"
    message = {"type": "message", "id": "msg_stub", "role": "assistant", "status": status}
    return [{**message, "content": [part]}]


def _calls(asked: Asked, say: Say) -> Iterator[dict[str, Any]]:
    turn = len(asked.body["input"])
    for n, call in enumerate(say.tools):
        yield {
            "type": "function_call",
            "id": f"fc_stub{n}",
            "call_id": f"call_stub{turn:03}{n:02}",
            "name": call.name,
            "arguments": call.json,
            "status": "completed",
        }


def _item_events(index: int, item: dict[str, Any]) -> Iterator[Event]:
    where = {"item_id": item["id"], "output_index": index}
    if item["type"] == "function_call":
        yield _added(index, {**item, "arguments": "", "status": "in_progress"})
        name = "response.function_call_arguments"
        for part in pieces(item["arguments"]):
            delta = {"type": f"{name}.delta", **where, "delta": part}
            yield Event(delta, characters=len(part))
        yield Event({"type": f"{name}.done", **where, "arguments": item["arguments"]})
    elif item["type"] == "message":
        yield _added(index, {**item, "content": [], "status": "in_progress"})
        yield from _part_events(where | {"content_index": 0}, item["content"][0])
    else:
        yield _added(index, item)
    yield Event({"type": "response.output_item.done", "output_index": index, "item": item})


def _added(index: int, item: dict[str, Any]) -> Event:
    return Event({"type": "response.output_item.added", "output_index": index, "item": item})


def _part_events(where: dict[str, Any], part: dict[str, Any]) -> Iterator[Event]:
    key = "refusal" if part["type"] == "refusal" else "text"
    name = f"response.{part['type']}"
    yield Event({"type": "response.content_part.added", **where, "part": {**part, key: ""}})
    for piece in pieces(part[key]):
        delta = {"type": f"{name}.delta", **where, "delta": piece, "logprobs": []}
        yield Event(delta, characters=len(piece))
    yield Event({"type": f"{name}.done", **where, key: part[key]})
    yield Event({"type": "response.content_part.done", **where, "part": part})


def _responses_usage(tokens: Tokens) -> dict[str, Any]:
    whole_input = tokens.input_tokens + tokens.cache_read_tokens + tokens.cache_write_tokens
    return {
        "input_tokens": whole_input,
        "input_tokens_details": {
            "cached_tokens": tokens.cache_read_tokens,
            "cache_write_tokens": tokens.cache_write_tokens,
        },
        "output_tokens": tokens.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": whole_input + tokens.output_tokens,
    }
