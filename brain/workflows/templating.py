"""Templates and expressions of workflows: Jinja in a sandbox that knows four names and no more.

`inputs`, `steps.ID.result` and `.state`, `item`, `run`. What agents answered is data: it is put
into a text and never looked at for templates again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

#: what a template can be told
NAMES: Final = ("inputs", "steps", "item", "run")
RUN_FIELDS: Final = ("code", "day", "started_by", "workflow")
STEP_FIELDS: Final = ("result", "state")
#: longest text that a template may come to, in characters; as long as an instruction may be
MOST_CHARACTERS: Final = 8_000
_FILTERS: Final = frozenset(
    """
    capitalize default first int join last length list lower reject replace reverse round
    select sort sum tojson trim truncate unique upper
    """.split()  # noqa: SIM905  words, not quotation marks
)
_METHODS: Final = frozenset(
    """
    endswith lower lstrip removeprefix removesuffix rstrip split splitlines startswith strip
    upper
    """.split()  # noqa: SIM905  words, not quotation marks
)


class TemplateFailed(Exception):
    """A template cannot be used; the sentence says why. `line` counts within it, from 1."""

    def __init__(self, sentence: str, line: int = 1) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True)
class Reference:
    """One thing that a template asks for, such as ``("steps", "search", "result")``."""

    path: tuple[str, ...]
    line: int


@dataclass(frozen=True, kw_only=True)
class Told:
    """What templates are told; results of a step that fanned out are a list."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    #: result and state of each step that is over
    steps: Mapping[str, tuple[str | Sequence[str], str]] = field(default_factory=dict)
    run: Mapping[str, str] = field(default_factory=dict)
    item: Any = None
    has_item: bool = False

    def names(self) -> dict[str, Any]:
        steps = {k: SimpleNamespace(result=r, state=s) for k, (r, s) in self.steps.items()}
        names: dict[str, Any] = {
            # Not dicts: an input may be called `items`, and nothing can be added to these.
            "inputs": SimpleNamespace(**self.inputs),
            "steps": SimpleNamespace(**steps),
            "run": SimpleNamespace(**self.run),
        }
        return names | ({"item": self.item} if self.has_item else {})


class _Sandbox(ImmutableSandboxedEnvironment):
    """No function but a few methods of strings, and nothing that makes much of little."""

    intercepted_binops = frozenset({"*", "**", "%", "//"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = all(isinstance(x, int | float) for x in (left, right))
        if operator == "**" or not numbers:
            raise SecurityError(f"{operator} is for numbers, and ** for nothing")
        return super().call_binop(context, operator, left, right)

    def is_safe_callable(self, obj: Any) -> bool:
        return isinstance(getattr(obj, "__self__", None), str) and obj.__name__ in _METHODS


def _lines(text: str | Sequence[str]) -> list[str]:
    """Lines that are not empty, without the marks of a list in front."""
    whole = text if isinstance(text, str) else "\n".join(map(str, text))
    bare = (line.strip().lstrip("-*•").strip() for line in whole.splitlines())
    return [line for line in bare if line]


def _quoted(text: str | Sequence[str]) -> str:
    """Each line behind ``> ``: what somebody said, and no order to whoever reads it."""
    whole = text if isinstance(text, str) else "\n".join(map(str, text))
    return "\n".join(f"> {line}" for line in whole.splitlines())


def _environment() -> _Sandbox:
    made = _Sandbox(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
    )
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in _FILTERS}
    made.filters |= {"lines": _lines, "quoted": _quoted}
    return made


_JINJA: Final = _environment()
#: what Jinja, and the Python that it makes of a template, let through
_UNUSABLE: Final = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    SyntaxError,
    RecursionError,
)


def render(source: str, told: Told) -> str:
    """The template filled in. Raises `TemplateFailed`."""
    try:
        pieces, length = [], 0
        for piece in _JINJA.from_string(source).generate(told.names()):
            pieces.append(piece)
            length += len(piece)
            if length > MOST_CHARACTERS:
                raise TemplateFailed(
                    f"it comes to more than {MOST_CHARACTERS} characters; `| truncate(N)` helps"
                )
    except _UNUSABLE as error:
        raise _failed(error) from None
    return "".join(pieces).strip()


def evaluate(source: str, told: Told) -> Any:
    """What the expression comes to. Raises `TemplateFailed`."""
    try:
        value = _JINJA.compile_expression(source, undefined_to_none=False)(told.names())
        # Something that is not there fails here, not where it is looked at.
        return str(value) if isinstance(value, StrictUndefined) else value
    except _UNUSABLE as error:
        raise _failed(error) from None


def references(source: str, *, expression: bool = False) -> list[Reference]:
    """What it asks for. Raises `TemplateFailed` when it does not parse."""
    text = f"{{{{ {source} }}}}" if expression else source
    try:
        tree = _JINJA.parse(text)
        # Compiled as well: only that finds filters that are not there.
        _JINJA.from_string(text)
    except _UNUSABLE as error:
        raise _failed(error) from None
    outside = meta.find_undeclared_variables(tree)
    found: list[Reference] = []
    _walk(tree, outside, found)
    return found


def _walk(node: nodes.Node, outside: set[str], found: list[Reference]) -> None:
    chain: list[nodes.Getattr | nodes.Getitem] = []
    base: nodes.Node = node
    while isinstance(base, nodes.Getattr | nodes.Getitem):
        chain.append(base)
        base = base.node
    if not isinstance(base, nodes.Name):
        for child in node.iter_child_nodes():
            _walk(child, outside, found)
        return
    if base.name in outside:
        found.append(Reference((base.name, *_words(chain[::-1])), node.lineno))
    for link in chain:
        if isinstance(link, nodes.Getitem):
            _walk(link.arg, outside, found)


def _words(chain: Sequence[nodes.Getattr | nodes.Getitem]) -> list[str]:
    """What is plainly named, up to the first index: ``steps["a"].result[n]`` gives a, result."""
    words: list[str] = []
    for link in chain:
        if isinstance(link, nodes.Getattr):
            words.append(link.attr)
        elif isinstance(link.arg, nodes.Const) and isinstance(link.arg.value, str):
            words.append(link.arg.value)
        else:
            break
    return words


def _failed(error: Exception) -> TemplateFailed:
    if isinstance(error, TemplateSyntaxError):
        return TemplateFailed(f"it does not parse: {error.message}", error.lineno)
    if isinstance(error, SyntaxError | RecursionError):
        return TemplateFailed("it is nested too deeply")
    return TemplateFailed(str(error) or type(error).__name__)
