"""What a guild lacks of the channels in `swarm.toml`. Pure: wanted and present in, steps out.

Nothing is ever deleted or renamed, and channels that nobody named are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: channel types (https://discord.com/developers/docs/resources/channel#channel-object)
TEXT: Final = 0
CATEGORY: Final = 4
#: agents hear and speak in text channels and in announcement channels
_SPOKEN_IN: Final = frozenset({TEXT, 5})
_TOPIC_CHARACTERS: Final = 1_024


@dataclass(frozen=True)
class Wanted:
    """A channel as the settings have it, without its ``#``. Empty: no wish."""

    name: str
    topic: str = ""
    category: str = ""


@dataclass(frozen=True)
class Present:
    """A channel or category as the guild has it."""

    id: str
    kind: int
    name: str
    topic: str = ""
    #: id of its category, None for none
    parent: str | None = None
    position: int = 0

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Present:
        """From Discord's channel object."""
        parent = payload.get("parent_id")
        return cls(
            id=str(payload["id"]),
            kind=int(payload["type"]),
            name=str(payload.get("name") or ""),
            topic=str(payload.get("topic") or ""),
            parent=str(parent) if parent else None,
            position=int(payload.get("position") or 0),
        )


@dataclass(frozen=True)
class CreateCategory:
    name: str

    def __str__(self) -> str:
        return f"create the category {self.name}"


@dataclass(frozen=True)
class CreateChannel:
    name: str
    topic: str
    #: name of its category, empty for none
    category: str

    def __str__(self) -> str:
        below = f" below {self.category}" if self.category else ""
        return f"create #{self.name}{below}"


@dataclass(frozen=True)
class Move:
    id: str
    name: str
    category: str

    def __str__(self) -> str:
        return f"move #{self.name} below {self.category}"


@dataclass(frozen=True)
class SetTopic:
    id: str
    name: str
    topic: str

    def __str__(self) -> str:
        return f"set the topic of #{self.name}: {self.topic}"


Step = CreateCategory | CreateChannel | Move | SetTopic


@dataclass(frozen=True)
class Plan:
    #: in the order in which they must be carried out
    steps: tuple[Step, ...]
    #: names of channels that the settings do not know
    strangers: tuple[str, ...]


def plan(wanted: Sequence[Wanted], present: Iterable[Present]) -> Plan:
    """How a guild with `present` comes to have everything that is `wanted`."""
    there = sorted(present, key=lambda p: (p.position, p.id))
    spoken_in = [p for p in there if p.kind in _SPOKEN_IN]
    channels = _first_of_each(spoken_in)
    categories = _first_of_each(p for p in there if p.kind == CATEGORY)
    used = {_fold(w.name) for w in wanted}
    return Plan(
        steps=(*_categories(wanted, categories), *_channels(wanted, channels, categories)),
        strangers=tuple(f"#{p.name}" for p in spoken_in if _fold(p.name) not in used),
    )


def _categories(
    wanted: Iterable[Wanted], categories: Mapping[str, Present]
) -> Iterator[CreateCategory]:
    names = dict.fromkeys(w.category for w in wanted if w.category)
    missing: dict[str, str] = {}
    for name in names:
        if _fold(name) not in categories:
            missing.setdefault(_fold(name), name)
    yield from map(CreateCategory, missing.values())


def _channels(
    wanted: Iterable[Wanted], channels: Mapping[str, Present], categories: Mapping[str, Present]
) -> Iterator[Step]:
    seen: set[str] = set()
    for one in wanted:
        topic = one.topic[:_TOPIC_CHARACTERS]
        found = channels.get(_fold(one.name))
        if _fold(one.name) in seen:
            continue
        seen.add(_fold(one.name))
        if found is None:
            yield CreateChannel(one.name, topic, one.category)
            continue
        category = categories.get(_fold(one.category))
        if one.category and (category is None or found.parent != category.id):
            yield Move(found.id, found.name, one.category)
        if topic and found.topic != topic:
            yield SetTopic(found.id, found.name, topic)


def _first_of_each(present: Iterable[Present]) -> dict[str, Present]:
    """By folded name; of several with one name the topmost."""
    found: dict[str, Present] = {}
    for one in present:
        found.setdefault(_fold(one.name), one)
    return found


def _fold(name: str) -> str:
    return name.casefold()
