"""Tools: declared by a decorator, described by their type hints, called with a permit."""

from __future__ import annotations

import difflib
import inspect
import types
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from brain.errors import BadArguments, UnknownTool
from brain.model import ToolSpec
from brain.tools.context import Context
from storage.acts import Permit

#: longest text argument, in characters; more is a mistake or an attack
LONGEST_TEXT = 500

_JSON_TYPES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class Effects(StrEnum):
    NONE = "none"
    READS = "reads"
    WRITES = "writes"
    SENDS = "sends"


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    #: short plain text, one finding a line, fit for IRC
    text: str
    #: ids of the recorded lines that the text stands on
    evidence_ids: tuple[int, ...] = ()
    #: the tool's own words say that it failed
    is_error: bool = False


#: the function behind a tool: a context, then keyword arguments as its type hints say
_Call = Callable[..., Awaitable[ToolResult]]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    name: str
    kind: type
    description: str
    required: bool

    def read(self, tool: str, value: Any) -> Any:
        """`value` as this parameter's type; raises `BadArguments` in words a model can act on."""
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if type(value) is not self.kind:
            raise BadArguments(
                f"{tool}: {self.name!r} must be of type {_JSON_TYPES[self.kind]}, not {value!r}"
            )
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            raise BadArguments(
                f"{tool}: {self.name!r} is longer than {LONGEST_TEXT} characters; shorten it"
            )
        return value


@dataclass(frozen=True, kw_only=True)
class Tool:
    name: str
    description: str
    effects: Effects
    #: group of tools that a policy may allow or forbid as one
    guard_class: str
    parameters: tuple[Parameter, ...]
    function: _Call

    @property
    def spec(self) -> ToolSpec:
        properties = {
            p.name: {"type": _JSON_TYPES[p.kind], "description": p.description}
            for p in self.parameters
        }
        return ToolSpec(
            name=self.name,
            description=self.description,
            parameters={
                "type": "object",
                "properties": properties,
                "required": [p.name for p in self.parameters if p.required],
                "additionalProperties": False,
            },
        )

    def read(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Checked arguments; a null counts as not given. Raises `BadArguments`."""
        known = {p.name: p for p in self.parameters}
        for name in arguments:
            if name not in known:
                raise BadArguments(f"{self.name}: no argument {name!r}{_nearest(name, known)}")
        given = {name: value for name, value in arguments.items() if value is not None}
        for parameter in self.parameters:
            if parameter.required and parameter.name not in given:
                raise BadArguments(f"{self.name}: argument {parameter.name!r} is missing")
        return {name: known[name].read(self.name, value) for name, value in given.items()}


def tool(*, effects: Effects, guard_class: str) -> Callable[[_Call], Tool]:
    """Declare a coroutine function as a tool.

    Its first parameter is the `Context`; every other one is annotated ``Annotated[str | int |
    float | bool | … | None, "what it means"]``. Its docstring is the description.
    """

    def declare(function: _Call) -> Tool:
        return Tool(
            name=function.__name__,
            description=inspect.cleandoc(function.__doc__ or "").replace("\n", " "),
            effects=effects,
            guard_class=guard_class,
            parameters=tuple(_parameters(function)),
            function=function,
        )

    return declare


def _parameters(function: _Call) -> Iterable[Parameter]:
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        hint = hints[name]
        if get_origin(hint) is not Annotated:
            raise TypeError(f"tool {function.__name__}: {name} needs Annotated[type, description]")
        inner, description = get_args(hint)[:2]
        yield Parameter(
            name=name,
            kind=_plain(inner),
            description=description,
            required=parameter.default is inspect.Parameter.empty,
        )


def _plain(hint: Any) -> type:
    """``str`` from ``str | None``."""
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(part for part in get_args(hint) if part is not type(None))
    if hint not in _JSON_TYPES:
        raise TypeError(f"a tool's argument cannot be {hint!r}")
    return hint  # type: ignore[no-any-return]


class Toolbox:
    """The tools of one turn, bound to its context."""

    def __init__(self, tools: Iterable[Tool], context: Context) -> None:
        self._tools = {t.name: t for t in tools}
        self.context = context

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return tuple(t.spec for t in self._tools.values())

    def find(self, name: str) -> Tool:
        """The tool of this name; raises `UnknownTool` with the nearest one."""
        if name not in self._tools:
            raise UnknownTool(f"there is no tool {name!r}{_nearest(name, self._tools)}")
        return self._tools[name]

    async def call(self, name: str, arguments: Mapping[str, Any], permit: Permit) -> ToolResult:
        """Run a tool. Raises `ToolError` (back to the model), `PermitRefused`, `StorageError`."""
        found = self.find(name)
        permit.check("tool", target_of(name), now_s=self.context.monotonic())
        return await found.function(self.context, **found.read(arguments))


def target_of(tool_name: str) -> str:
    """How a tool is named in acts, permits and the audit chain."""
    return f"tool:{tool_name}"


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"
