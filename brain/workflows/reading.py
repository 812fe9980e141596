"""A workflow's file → `Workflow`, or every mistake with its line and column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

from brain.workflows.checking import Finding, Known, findings, nearest
from brain.workflows.definition import Workflow
from brain.workflows.yaml_places import NotYaml, Path, Place, Placed, parse

#: longer files are no workflows
MOST_CHARACTERS: Final = 200_000
_TABLE: Final = "keys and values belong here, such as `name: value`"
_LIST: Final = "a list belongs here, such as [one, two]"
#: pydantic's kinds of error in words of YAML
_PLAINLY: Final = {
    "dict_type": _TABLE,
    "mapping_type": _TABLE,
    "model_attributes_type": _TABLE,
    "model_type": _TABLE,
    "string_type": "a text belongs here; quotes make a text of a number",
    "tuple_type": _LIST,
}


@dataclass(frozen=True)
class Mistake:
    """One thing to mend."""

    source: str
    place: Place
    #: ``steps.search.agent``; empty for the file as a whole
    where: str
    sentence: str

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        return f"{self.source}:{self.place.line}:{self.place.column}: {where}{self.sentence}"


class WorkflowUnreadable(Exception):
    """The file is no workflow; each line of the message is one mistake and where it is."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = sorted(mistakes, key=lambda m: (m.place.line, m.place.column))
        super().__init__("\n".join(map(str, self.mistakes)))


def read(text: str, source: str, known: Known | None = None) -> Workflow:
    """The workflow that `text` is; `source` is the file's name, for the mistakes.

    With `known` the names of agents, capabilities and channels are looked up. Raises
    `WorkflowUnreadable`.
    """
    if len(text) > MOST_CHARACTERS:
        sentence = f"longer than {MOST_CHARACTERS} characters"
        raise WorkflowUnreadable([Mistake(source, Place(1, 1), "", sentence)])
    try:
        placed = parse(text)
    except NotYaml as error:
        raise WorkflowUnreadable([Mistake(source, error.place, "", str(error))]) from None
    try:
        workflow = Workflow.model_validate(placed.data)
    except ValidationError as error:
        mistakes = [_explained(source, placed, dict(e)) for e in error.errors()]
        raise WorkflowUnreadable(_once_a_place(mistakes)) from None
    if found := findings(workflow, known):
        raise WorkflowUnreadable([_mistake(source, text, placed, one) for one in found])
    return workflow


def _mistake(source: str, text: str, placed: Placed, found: Finding) -> Mistake:
    place = placed.place(found.path)
    lines = text.splitlines()
    first = lines[place.line - 1][place.column - 1 :] if place.line <= len(lines) else ""
    if first[:1] in {"|", ">"}:
        # A block of text: what is wrong stands so many lines below.
        line = min(place.line + 1 + found.line, len(lines))
        place = Place(line, len(lines[line - 1]) - len(lines[line - 1].lstrip()) + 1)
    return Mistake(source, place, _dotted(placed.data, found.path), found.sentence)


def _explained(source: str, placed: Placed, error: dict[str, Any]) -> Mistake:
    path = tuple(part for part in error["loc"] if part != "[key]")
    kind, sentence = error["type"], str(error["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        known = _keys(path[:-1])
        sentence = f"no such key{nearest(str(path[-1]), known)}"
        sentence += "" if "did you mean" in sentence else f"; there are {', '.join(known)}"
    elif kind == "missing":
        sentence = f"{path[-1]!r} is missing"
        path = path[:-1]
    elif kind == "string_pattern_mismatch":
        sentence = f"{error['input']!r} does not fit: it must look like {error['ctx']['pattern']}"
    else:
        sentence = _PLAINLY.get(kind, sentence)
    at_key = kind == "extra_forbidden" or "[key]" in error["loc"]
    return Mistake(source, placed.place(path, key=at_key), _dotted(placed.data, path), sentence)


def _once_a_place(mistakes: list[Mistake]) -> list[Mistake]:
    """A value that may be one of two kinds is told of once."""
    first: dict[Place, Mistake] = {}
    for mistake in mistakes:
        first.setdefault(mistake.place, mistake)
    return list(first.values())


def _dotted(data: Any, path: Path) -> str:
    """``steps.search.agent`` rather than ``steps.0.agent``, as far as the file goes."""
    words: list[str] = []
    for part in path:
        try:
            data = data[part]
        except (LookupError, TypeError):
            break  # the rest says of which kind a value was to be
        name = data.get("id") if isinstance(part, int) and isinstance(data, dict) else None
        words.append(str(name or (part + 1 if isinstance(part, int) else part)))
    return ".".join(words)


def _keys(path: Path) -> list[str]:
    """The keys of the table at `path`."""
    model: type[BaseModel] = Workflow
    for part in path:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        if field is not None:
            model = next(iter(_models(field.annotation)), model)
    return list(model.model_fields)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]
