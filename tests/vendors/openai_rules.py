"""What OpenAI's servers refuse in a request (400). Values in, a sentence or None out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_RESPONSES_FIELDS = {
    "model",
    "input",
    "instructions",
    "max_output_tokens",
    "store",
    "stream",
    "text",
    "tools",
}
_CHAT_FIELDS = {
    "model",
    "messages",
    "max_tokens",
    "max_completion_tokens",
    "stream",
    "stream_options",
    "response_format",
    "tools",
}
_LEAST_OUTPUT = 16


def responses_complaint(body: Mapping[str, Any]) -> str | None:
    if complaint := _field_complaint(body, _RESPONSES_FIELDS, ("model", "input")):
        return complaint
    if body.get("max_output_tokens", _LEAST_OUTPUT) < _LEAST_OUTPUT:
        return "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16."
    items = body["input"]
    calls = {item["call_id"] for item in items if item.get("type") == "function_call"}
    outputs = {item["call_id"] for item in items if item.get("type") == "function_call_output"}
    if calls - outputs:
        return f"No tool output found for function call {min(calls - outputs)}."
    if outputs - calls:
        return f"No tool call found for function call output with call_id {min(outputs - calls)}."
    form = body.get("text", {}).get("format")
    return _tools_complaint(body.get("tools", ())) or _form_complaint(form)


def chat_complaint(body: Mapping[str, Any]) -> str | None:
    if complaint := _field_complaint(body, _CHAT_FIELDS, ("model", "messages")):
        return complaint
    if "stream_options" in body and not body.get("stream"):
        return "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    form = body.get("response_format", {}).get("json_schema")
    return (
        _turns_complaint(body["messages"])
        or _tools_complaint([tool["function"] for tool in body.get("tools", ())])
        or _form_complaint(form)
    )


def _field_complaint(
    body: Mapping[str, Any], known: set[str], needed: tuple[str, ...]
) -> str | None:
    for name in needed:
        if not body.get(name):
            return f"Missing required parameter: '{name}'."
    for name in body:
        if name not in known:
            return f"Unknown parameter: '{name}'."
    return None


def _turns_complaint(turns: list[dict[str, Any]]) -> str | None:
    pending: set[str] = set()
    for turn in turns:
        if turn["role"] == "tool":
            if turn["tool_call_id"] not in pending:
                return (
                    "Messages with role 'tool' must be a response to a preceding message with "
                    "'tool_calls'."
                )
            pending.discard(turn["tool_call_id"])
        elif pending:
            break
        else:
            pending = {call["id"] for call in turn.get("tool_calls", ())}
    if pending:
        return (
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            f"to each 'tool_call_id': {', '.join(sorted(pending))}"
        )
    return None


def _tools_complaint(tools: Any) -> str | None:
    for tool in tools:
        if not _NAME.fullmatch(tool["name"]):
            return f"Invalid 'tools[].name': '{tool['name']}' does not match the pattern."
        if tool["parameters"].get("type") != "object":
            return f"Invalid schema for function '{tool['name']}': schema must be an object."
        if tool.get("strict") and not all(map(_is_closed, _objects(tool["parameters"]))):
            return f"Invalid schema for function '{tool['name']}': it is not closed."
    return None


def _form_complaint(form: Mapping[str, Any] | None) -> str | None:
    if form and form.get("strict") and not all(map(_is_closed, _objects(form["schema"]))):
        return (
            f"Invalid schema for response_format '{form['name']}': In context=(), "
            "'additionalProperties' is required to be supplied and to be false."
        )
    return None


def _objects(schema: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for inner in schema.values():
            yield from _objects(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _objects(inner)


def _is_closed(schema: Mapping[str, Any]) -> bool:
    properties = set(schema.get("properties", {}))
    is_shut = schema.get("additionalProperties") is False
    return is_shut and set(schema.get("required", ())) == properties
