"""What both of OpenAI's interfaces have in common: tool calls, usage, schemas. Pure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from brain.model import Conversation, Message, ToolCall, Usage
from brain.models.provider import ModelSpec
from brain.prompting import tokens

_LONGEST_UNREADABLE = 500


class CallIds:
    """Ids of tool calls, unique in one conversation: some servers give none, or the same again."""

    def __init__(self, conversation: Conversation) -> None:
        self._taken = {call.id for m in conversation.messages for call in m.tool_calls}
        self._own = (f"call_{len(conversation.messages)}_{n}" for n in itertools.count())

    def unique(self, given: str | None) -> str:
        chosen = given or next(self._own)
        while chosen in self._taken:
            chosen = next(self._own)
        self._taken.add(chosen)
        return chosen


def call_of(call_id: str, name: str, arguments: str | None) -> ToolCall:
    """A call as a model wrote it; arguments that are no JSON object are for the loop to tell."""
    try:
        read = json.loads(arguments or "null")
    except ValueError:
        read = arguments
    if read is None or isinstance(read, dict):
        return ToolCall(id=call_id, name=name, arguments=read or {})
    return ToolCall(id=call_id, name=name, unreadable=(arguments or "")[:_LONGEST_UNREADABLE])


def json_of(call: ToolCall) -> str:
    """As the model gave them; keys in order, for a prompt that stays the same is cached."""
    return json.dumps(dict(call.arguments), sort_keys=True, ensure_ascii=False, default=str)


def result_of(message: Message) -> str:
    """A tool's result in words; OpenAI has no field for its having failed."""
    return f"Error: {message.text}" if message.is_error else message.text


def usage(whole_input: int | None, output: int | None, details: object) -> Usage:
    """Counts that do not overlap: OpenAI's input counts what was read from, or written to, its
    prompt cache once more in `details`.
    """
    read = getattr(details, "cached_tokens", None) or 0
    written = getattr(details, "cache_write_tokens", None) or 0
    return Usage(
        input_tokens=max(0, (whole_input or 0) - read - written),
        output_tokens=output or 0,
        cache_read_tokens=read,
        cache_write_tokens=written,
    )


def estimated(conversation: Conversation, text: str, calls: Iterable[ToolCall]) -> Usage:
    """For a server that tells no usage."""
    written = tokens.estimate(text) + sum(
        tokens.estimate(call.name) + tokens.estimate(call.unreadable or json_of(call))
        for call in calls
    )
    return Usage(input_tokens=tokens.of_conversation(conversation), output_tokens=max(1, written))


def unknown_usage(spec: ModelSpec) -> tuple[str, ...]:
    """The notes of an answer whose usage is estimated."""
    return (f"{spec.name} tells no usage: its tokens are estimated",)


def is_strict(schema: object) -> bool:
    """Whether OpenAI can hold an answer to every word of it: each object names all its properties,
    needs them all, and allows no others ("Structured Outputs", supported schemas).
    """
    for part in _parts(schema):
        if part.get("type") != "object" and "properties" not in part:
            continue
        names = set(part.get("properties", {}))
        if part.get("additionalProperties") is not False or set(part.get("required", ())) != names:
            return False
    return True


def _parts(schema: object) -> Iterator[Mapping[str, Any]]:
    """`schema` and all schemas in it."""
    if isinstance(schema, Mapping):
        yield schema
        inner: Iterable[object] = [
            *(schema.get("properties") or {}).values(),
            *(schema.get("$defs") or {}).values(),
            *(schema.get("anyOf") or ()),
            schema.get("items"),
        ]
        for one in inner:
            yield from _parts(one)
