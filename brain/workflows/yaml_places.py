"""YAML to plain values, with the place of each: what PyYAML's own loading throws away.

The scalars are those of YAML 1.2: `yes`, `on` and `1:30` are texts. Tags, anchors and aliases are
refused, and so is what nests deeper than anybody writes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Path = tuple[str | int, ...]
_DEEPEST: Final = 20
_PLAIN: Final = "tag:yaml.org,2002:"
#: tag, how such a scalar looks, and what it may begin with
_SCALARS: Final = (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?[0-9]{1,18}$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?$", "-+.0123456789"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # it has no types
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  PyYAML's own name


for _tag, _looks, _first in _SCALARS:
    _Loader.add_implicit_resolver(
        _PLAIN + _tag, re.compile(_looks), [c if c != "\0" else "" for c in _first]
    )


@dataclass(frozen=True)
class Place:
    """Line and column, both from 1."""

    line: int
    column: int


class NotYaml(Exception):
    """The text cannot be read; where, and why."""

    def __init__(self, place: Place, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place


@dataclass(frozen=True)
class Placed:
    """The values of a file; `keys` and `values` say where each key and each value begins."""

    data: Any
    values: Mapping[Path, Place]
    keys: Mapping[Path, Place]

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Of the nearest thing around `path` that stands in the file."""
        for end in range(len(path), -1, -1):
            for places in (self.keys, self.values) if key else (self.values, self.keys):
                if path[:end] in places:
                    return places[path[:end]]
        return Place(1, 1)


@dataclass
class _Reading:
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)


def parse(text: str) -> Placed:
    """Raises `NotYaml`."""
    try:
        _refuse_odd(text)
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        why = error.problem or error.context or "it is not YAML"
        raise NotYaml(_at(error.problem_mark or error.context_mark), f"not YAML: {why}") from None
    except yaml.YAMLError as error:
        raise NotYaml(Place(1, 1), f"not YAML: {str(error).splitlines()[0]}") from None
    if root is None:
        raise NotYaml(Place(1, 1), "the file is empty")
    reading = _Reading()
    data = _value(root, (), reading)
    return Placed(data, reading.values, reading.keys)


def _refuse_odd(text: str) -> None:
    depth = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise NotYaml(_at(event.start_mark), "anchors and aliases are not read: write it out")
        if getattr(event, "tag", None):
            raise NotYaml(_at(event.start_mark), "tags such as !!set are not read: leave it out")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if depth > _DEEPEST:
            raise NotYaml(_at(event.start_mark), f"nested deeper than {_DEEPEST} levels")
        if documents > 1:
            raise NotYaml(_at(event.start_mark), "one file holds one workflow: no second document")


def _value(node: Node, path: Path, reading: _Reading) -> Any:
    reading.values[path] = _at(node.start_mark)
    if isinstance(node, ScalarNode):
        return _scalar(node)
    if isinstance(node, SequenceNode):
        return [_value(one, (*path, n), reading) for n, one in enumerate(node.value)]
    assert isinstance(node, MappingNode)
    made: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, ScalarNode):
            raise NotYaml(_at(key_node.start_mark), "a key is a word")
        key = str(key_node.value)
        if key in made:
            first = reading.keys[(*path, key)]
            raise NotYaml(_at(key_node.start_mark), f"{key!r} stands in line {first.line} already")
        reading.keys[(*path, key)] = _at(key_node.start_mark)
        made[key] = _value(value_node, (*path, key), reading)
    return made


def _scalar(node: ScalarNode) -> Any:
    match node.tag.removeprefix(_PLAIN):
        case "bool":
            return node.value.lower() == "true"
        case "int":
            return int(node.value)
        case "float":
            return float(node.value)
        case "null":
            return None
        case _:
            return node.value


def _at(mark: yaml.Mark | None) -> Place:
    return Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)
