"""Tools: declared by a decorator, described by their type hints, called with a permit."""

from __future__ import annotations

import difflib
import inspect
import types
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Protocol, Union, get_args, get_origin, get_type_hints

from brain.errors import BadArguments, ToolError, UnknownTool
from brain.model import ToolSpec
from brain.tools.context import Context
from storage.acts import Permit

#: longest text argument, in characters; more is a mistake or an attack
LONGEST_TEXT = 500
#: characters of a wrong argument that the error shows
_LONGEST_SHOWN = 80

_JSON_TYPES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class Effects(StrEnum):
    #: its result is our own words, such as the time
    NONE = "none"
    READS = "reads"
    WRITES = "writes"
    #: changes something, and the same call once more in the same turn changes nothing more
    ONCE = "once"
    SENDS = "sends"


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    #: short plain text, one finding a line, fit for IRC
    text: str
    #: ids of the recorded lines that the text stands on
    evidence_ids: tuple[int, ...] = ()
    #: the tool's own words say that it failed
    is_error: bool = False


@dataclass(frozen=True)
class Longest:
    """The most characters of one text argument, where it is not `LONGEST_TEXT`: put it behind the
    description.
    """

    characters: int


#: the function behind a tool: a context, then keyword arguments as its type hints say
_Call = Callable[..., Awaitable[ToolResult]]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    name: str
    kind: type
    description: str
    required: bool
    longest: int = LONGEST_TEXT

    def read(self, tool: str, value: Any) -> Any:
        """`value` as this parameter's type; raises `BadArguments` in words a model can act on."""
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if type(value) is not self.kind:
            shown = repr(value)
            if len(shown) > _LONGEST_SHOWN:
                shown = f"{shown[:_LONGEST_SHOWN]}…"
            raise BadArguments(
                f"{tool}: {self.name!r} must be of type {_JSON_TYPES[self.kind]}, not {shown}"
            )
        if isinstance(value, str) and len(value) > self.longest:
            raise BadArguments(
                f"{tool}: {self.name!r} is longer than {self.longest} characters; shorten it"
            )
        return value


class AnyTool(Protocol):
    """What a model can call: a function of ours (`Tool`), or a tool of somebody else's server."""

    @property
    def name(self) -> str: ...

    @property
    def effects(self) -> Effects: ...

    @property
    def guard_class(self) -> str:
        """Kind of tool, for policies and the audit: in the details of each act."""

    @property
    def spec(self) -> ToolSpec: ...

    def is_at_hand(self, context: Context) -> bool:
        """Whether it can be used at all where this turn takes place."""

    def is_shown(self, context: Context) -> bool:
        """Whether a model is told of it in this turn; what is not shown costs nothing, and refuses
        in its own words whoever calls it all the same.
        """

    async def run(
        self, context: Context, arguments: Mapping[str, Any], permit: Permit
    ) -> ToolResult:
        """Raises `ToolError`, `PermitRefused`, `StorageError`."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A function of ours as a tool."""

    name: str
    description: str
    effects: Effects
    guard_class: str
    parameters: tuple[Parameter, ...]
    function: _Call
    #: field of the context that it needs, such as ``say``; empty when it needs nothing more
    needs: str = ""
    #: property of the context without which it would only refuse; empty: there is none
    shown_if: str = ""

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

    def is_at_hand(self, context: Context) -> bool:
        return not self.needs or getattr(context, self.needs) is not None

    def is_shown(self, context: Context) -> bool:
        return self.is_at_hand(context) and (not self.shown_if or getattr(context, self.shown_if))

    async def run(
        self, context: Context, arguments: Mapping[str, Any], permit: Permit
    ) -> ToolResult:
        permit.check("tool", target_of(self.name), now_s=context.monotonic())
        return await self.function(context, **self.read(arguments))


def tool(
    *, effects: Effects, guard_class: str, needs: str = "", shown_if: str = ""
) -> Callable[[_Call], Tool]:
    """Declare a coroutine function as a tool.

    Its first parameter is the `Context`; every other one is annotated ``Annotated[str | int |
    float | bool | … | None, "what it means"]``. Its docstring is the description. `needs` names a
    field of the context that may be None: then the tool cannot be used. `shown_if` names one that
    may be false: then no model is told of it.
    """

    def declare(function: _Call) -> Tool:
        return Tool(
            name=function.__name__,
            description=inspect.cleandoc(function.__doc__ or "").replace("\n", " "),
            effects=effects,
            guard_class=guard_class,
            parameters=tuple(_parameters(function)),
            function=function,
            needs=needs,
            shown_if=shown_if,
        )

    return declare


def _parameters(function: _Call) -> Iterable[Parameter]:
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        hint = hints[name]
        if get_origin(hint) is not Annotated:
            raise TypeError(f"tool {function.__name__}: {name} needs Annotated[type, description]")
        inner, description, *more = get_args(hint)
        longest = next((each.characters for each in more if isinstance(each, Longest)), None)
        yield Parameter(
            name=name,
            kind=_plain(inner),
            description=description,
            required=parameter.default is inspect.Parameter.empty,
            longest=longest or LONGEST_TEXT,
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

    def __init__(self, tools: Iterable[AnyTool], context: Context) -> None:
        self._tools = {t.name: t for t in tools}
        self.context = context
        self.specs: tuple[ToolSpec, ...] = tuple(
            t.spec for t in self._tools.values() if t.is_shown(context)
        )

    def find(self, name: str) -> AnyTool:
        """The tool of this name; raises `UnknownTool` with the nearest one, `ToolError` when it
        cannot be used here.
        """
        found = self._tools.get(name)
        if found is None:
            shown = name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}…"
            near = _nearest(name[:_LONGEST_SHOWN], (spec.name for spec in self.specs))
            raise UnknownTool(f"there is no tool {shown!r}{near}")
        if not found.is_at_hand(self.context):
            raise ToolError(f"{name} cannot be used here")
        return found

    async def call(self, name: str, arguments: Mapping[str, Any], permit: Permit) -> ToolResult:
        """Run a tool. Raises `ToolError` (back to the model), `PermitRefused`, `StorageError`."""
        return await self.find(name).run(self.context, arguments, permit)


def target_of(tool_name: str) -> str:
    """How a tool is named in acts, permits and the audit chain."""
    return f"tool:{tool_name}"


def _nearest(name: str, known: Iterable[str]) -> str:
    there_are = sorted(known)
    near = difflib.get_close_matches(name, there_are, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(there_are)}"
