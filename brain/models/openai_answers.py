"""What both of OpenAI's interfaces have in common: tool calls, usage, schemas. Pure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from brain.model import Conversation, Message, ToolCall, Usage
from brain.models.provider import MOST_TOKENS, ModelSpec
from brain.prompting import tokens

_LONGEST_UNREADABLE = 500


class CallIds:
    """Ids of tool calls, unique in one conversation: some servers give none, or the same again."""

    def __init__(self, conversation: Conversation) -> None:
        self._taken = {call.id for m in conversation.messages for call in m.tool_calls}
        self._own = (f"call_{len(conversation.messages)}_{n}" for n in itertools.count())

    def unique(self, given: object) -> str:
        chosen = given if given and isinstance(given, str) else next(self._own)
        while chosen in self._taken:
            chosen = next(self._own)
        self._taken.add(chosen)
        return chosen


def call_of(call_id: str, name: object, arguments: object) -> ToolCall:
    """A call as a model wrote it; arguments that are no JSON object are for the loop to tell.
    Raises `TypeError` for what is no call.
    """
    if not (name and isinstance(name, str)):
        raise TypeError("a call names its tool")
    if arguments is None or isinstance(arguments, dict):
        # An object where OpenAI has text: some servers spare their clients the reading.
        return ToolCall(id=call_id, name=name, arguments=arguments or {})
    if not isinstance(arguments, str):
        raise TypeError("arguments are text")
    try:
        read = json.loads(arguments or "null")
    except ValueError:
        read = arguments
    if read is None or isinstance(read, dict):
        return ToolCall(id=call_id, name=name, arguments=read or {})
    return ToolCall(id=call_id, name=name, unreadable=arguments[:_LONGEST_UNREADABLE])


def json_of(call: ToolCall) -> str:
    """As the model gave them; keys in order, for a prompt that stays the same is cached."""
    return json.dumps(dict(call.arguments), sort_keys=True, ensure_ascii=False, default=str)


def result_of(message: Message) -> str:
    """A tool's result in words; OpenAI has no field for its having failed."""
    return f"Error: {message.text}" if message.is_error else message.text


def usage(whole_input: object, output: object, details: object) -> Usage | None:
    """Counts that do not overlap: OpenAI's input counts what was read from, or written to, its
    prompt cache once more in `details`. None where nothing was counted: that is no telling.
    Raises `TypeError` for what is no count.
    """
    read = _count(getattr(details, "cached_tokens", None))
    written = _count(getattr(details, "cache_write_tokens", None))
    told = Usage(
        input_tokens=max(0, _count(whole_input) - read - written),
        output_tokens=_count(output),
        cache_read_tokens=read,
        cache_write_tokens=written,
    )
    return told if told.total else None


def _count(told: object) -> int:
    if told is None:
        return 0
    if type(told) is not int or not 0 <= told <= MOST_TOKENS:
        raise TypeError("tokens are counted in whole numbers, and there is an end to them")
    return told


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
