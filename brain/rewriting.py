"""Every word that a model said, changed in one way: its text and its calls of tools. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from brain.model import Completion, ToolCall

#: what is told of arguments that nobody can walk through; no tool takes such
_TOO_DEEP: Final = "lists within lists without end"


def rewritten(completion: Completion, change: Callable[[str], str]) -> Completion:
    """`completion` with `change` applied to each of its texts, however deep in an argument."""
    calls = tuple(_call(call, change) for call in completion.tool_calls)
    return replace(completion, text=change(completion.text), tool_calls=calls)


def _call(call: ToolCall, change: Callable[[str], str]) -> ToolCall:
    arguments: dict[str, Any] = {}
    unreadable = change(call.unreadable)
    try:
        arguments = {change(k): _value(v, change) for k, v in call.arguments.items()}
    except RecursionError:
        unreadable = _TOO_DEEP
    return replace(
        call,
        id=change(call.id),
        name=change(call.name),
        arguments=arguments,
        unreadable=unreadable,
    )


def _value(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {_value(k, change): _value(v, change) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_value(one, change) for one in value]
    return value
