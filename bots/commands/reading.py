"""The words after a command's name as arguments, and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bots.commands.parse import parse

_DAY = re.compile(r"^(?:\d{4}-\d\d-\d\d|today|yesterday)$", re.IGNORECASE | re.ASCII)
_HOURS = re.compile(r"^(\d{1,4}(?:\.\d)?)\s*h(?:ours?)?$", re.IGNORECASE | re.ASCII)

Read = Callable[[str], dict[str, Any] | None]


def nothing(words: str) -> dict[str, Any]:
    """For commands that take nothing; what is said all the same does no harm."""
    return {}


def scope(words: str) -> dict[str, Any] | None:
    """A channel, hours or a day, in any order, and nothing else."""
    given, rest = _scope(words)
    return None if rest else given


def scope_and_words(words: str) -> dict[str, Any] | None:
    """As `scope`, then words to look for: ``#lobby 24h nvidia drivers``."""
    given, rest = _scope(words)
    return {**given, "words": rest} if rest else None


def one(name: str) -> Read:
    """Exactly one word, called `name`."""

    def read(words: str) -> dict[str, Any] | None:
        found = words.split()
        return {name: found[0]} if len(found) == 1 else None

    return read


def at_most_one(name: str) -> Read:
    """One word, called `name`, or none."""

    def read(words: str) -> dict[str, Any] | None:
        found = words.split()
        if len(found) > 1:
            return None
        return {name: found[0]} if found else {}

    return read


def agent_and_question(words: str) -> dict[str, Any] | None:
    """``secretary who mentioned the mixer?``; the name may be written as an address."""
    name, _, question = words.strip().partition(" ")
    name = name.removeprefix("@").rstrip(":,")
    question = question.strip()
    return {"agent": name, "question": question} if name and question else None


def agent_and_reason(words: str) -> dict[str, Any]:
    """``auditor it loops``: whom a steering command means, and why; both may be missing."""
    name, _, reason = words.strip().partition(" ")
    given = {"agent": name, "reason": reason.strip()}
    return {key: value for key, value in given.items() if value}


def agent_first(words: str) -> dict[str, Any]:
    """``auditor``: whom a steering command means; a reason that nobody asked for does no harm."""
    name = words.strip().partition(" ")[0]
    return {"agent": name} if name else {}


def words_of(order: Iterable[str], arguments: Mapping[str, Any]) -> str:
    """Arguments as words, in the `order` of their names: what `read` would read as the same."""
    given = ((name, arguments[name]) for name in order if arguments.get(name) not in (None, ""))
    return " ".join(f"{value:g}h" if name == "hours" else str(value) for name, value in given)


def question_of(text: str, prefix: str) -> str:
    """What an agent is asked by a line: ``!ask secretary who said it?`` asks ``who said it?``, any
    other line asks its whole text.
    """
    spoken = parse(text, prefix)
    if spoken is None or spoken.name != "ask":
        return text
    words = spoken.words
    if spoken.target is not None:
        # ``!ask agent:secretary who …``: the name was taken for the one who should answer.
        return words or text
    read = agent_and_question(words)
    return read["question"] if read else text


def _scope(words: str) -> tuple[dict[str, Any], str]:
    """What stands in front of `words`, and the rest."""
    given: dict[str, Any] = {}
    rest = words.split()
    value: str | float
    while rest:
        hours = _HOURS.match(rest[0])
        if hours:
            key, value = "hours", float(hours[1])
        elif _DAY.match(rest[0]):
            key, value = "day", rest[0].lower()
        elif rest[0].startswith("#") and len(rest[0]) > 1:
            key, value = "channel", rest[0]
        else:
            break
        if key in given:
            break
        given[key] = value
        rest = rest[1:]
    return given, " ".join(rest)
