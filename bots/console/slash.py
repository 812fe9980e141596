"""Slash commands as a person types them in one line: ``/ask agent:buyer question:what is new``.

Options are named, or given without a name in the order in which they are required; the last of
those takes the rest of the line, and quotes keep words together. Pure: texts and the guild's index
of commands in, the body of an interaction out.
Source: Discord's documentation, "Application Commands", "Interaction Data".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from bots.console.numbers import measure


class SlashError(ValueError):
    """The line is no command as it stands; the text says what is missing or wrong."""


class OptionType(IntEnum):
    """What an option takes, by Discord's numbers."""

    SUB_COMMAND = 1
    SUB_COMMAND_GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10
    ATTACHMENT = 11


_NESTED = (OptionType.SUB_COMMAND, OptionType.SUB_COMMAND_GROUP)
_WORD = re.compile(r'\s*(?:"([^"]*)"|(\S+))')
_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a command."""

    name: str
    type: int
    description: str = ""
    required: bool = False
    #: (shown, value)
    choices: tuple[tuple[str, Any], ...] = ()
    autocomplete: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command, or a subcommand with the path that leads to it."""

    id: str
    application_id: str
    version: str
    #: ``name``, or ``name group sub``
    path: tuple[str, ...]
    description: str
    options: tuple[Option, ...]

    @property
    def name(self) -> str:
        return " ".join(self.path)

    @property
    def usage(self) -> str:
        """Its options in short: the required ones bare, the others in brackets."""
        return " ".join(o.name if o.required else f"[{o.name}]" for o in self.options)


@dataclass(frozen=True, slots=True)
class Filled:
    """A value as it was typed, and where it begins in the line."""

    option: Option
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds ids by what people type; each answers an empty text for nobody."""

    user: Callable[[str], str]
    channel: Callable[[str], str]
    role: Callable[[str], str]


def read_index(body: Any) -> tuple[Command, ...]:
    """The commands of an application-command index; subcommands become commands of their own."""
    listed = body.get("application_commands", ()) if isinstance(body, dict) else body
    found = [c for one in listed if one.get("type", 1) == 1 for c in _commands(one)]
    return tuple(sorted(found, key=lambda c: c.path))


def _commands(one: Mapping[str, Any]) -> Iterable[Command]:
    def walk(part: Mapping[str, Any], path: tuple[str, ...]) -> Iterable[Command]:
        options = part.get("options") or ()
        nested = [o for o in options if o["type"] in _NESTED]
        for option in nested:
            yield from walk(option, (*path, str(option["name"])))
        if not nested:
            yield Command(
                id=str(one["id"]),
                application_id=str(one["application_id"]),
                version=str(one.get("version", "1")),
                path=path,
                description=str(part.get("description") or ""),
                options=tuple(_option(o) for o in options),
            )

    return walk(one, (str(one["name"]),))


def _option(body: Mapping[str, Any]) -> Option:
    return Option(
        name=str(body["name"]),
        type=int(body["type"]),
        description=str(body.get("description") or ""),
        required=bool(body.get("required")),
        choices=tuple((str(c["name"]), c["value"]) for c in body.get("choices") or ()),
        autocomplete=bool(body.get("autocomplete")),
    )


def find(line: str, commands: Sequence[Command]) -> tuple[Command, int] | None:
    """The command that `line` calls, and where its options begin; the longest path wins."""
    if not line.startswith("/"):
        return None
    for command in sorted(commands, key=lambda c: -len(c.path)):
        pattern = r"/" + r"\s+".join(re.escape(p) for p in command.path) + r"(?=\s|$)\s*"
        if found := re.match(pattern, line):
            return command, found.end()
    return None


def fill(line: str, command: Command, start: int) -> list[Filled]:
    """The values in the line in the order of typing; what is left over is dropped."""
    names = {o.name: o for o in command.options}
    marks = [
        m
        for m in re.finditer(r"(?<!\S)([^\s:]{1,32}):", line)
        if m.start() >= start and m[1] in names
    ]
    unnamed_end = marks[0].start() if marks else len(line)
    named = {m[1] for m in marks}
    found = list(_positional(line, command, start, unnamed_end, named))
    for number, mark in enumerate(marks):
        end = marks[number + 1].start() if number + 1 < len(marks) else len(line)
        raw = line[mark.end() : end]
        lead = len(raw) - len(raw.lstrip())
        found.append(Filled(names[mark[1]], _unquoted(raw.strip()), mark.end() + lead))
    return found


def _positional(
    line: str, command: Command, start: int, end: int, named: set[str]
) -> Iterable[Filled]:
    wanted = [o for o in command.options if o.required and o.name not in named]
    wanted = wanted or [o for o in command.options if o.name not in named][:1]
    at = start
    for option in wanted:
        if not line[at:end].strip():
            return
        if option is wanted[-1]:
            rest = line[at:end]
            lead = len(rest) - len(rest.lstrip())
            yield Filled(option, _unquoted(rest.strip()), at + lead)
            return
        word = _WORD.match(line, at, end)
        if word is None:
            return
        group = 1 if word[1] is not None else 2
        yield Filled(option, word[group], word.start(group))
        at = word.end()


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def call(line: str, commands: Sequence[Command], lookup: Lookup) -> tuple[Command, dict[str, Any]]:
    """The command and the ``data`` of its interaction; raises `SlashError`."""
    found = find(line, commands)
    if found is None:
        name = line.split(maxsplit=1)[0] if line.split() else "/"
        raise SlashError(f"There is no command {name}. Type / to see all.")
    command, start = found
    filled = fill(line, command, start)
    missing = [o.name for o in command.options if o.required]
    missing = [n for n in missing if n not in {f.option.name for f in filled if f.text}]
    if missing:
        raise SlashError(f"/{command.name} needs {', '.join(missing)}.")
    options = [_given(f.option, value_of(f, lookup)) for f in filled if f.text]
    return command, data_of(command, options)


def data_of(command: Command, options: list[dict[str, Any]]) -> dict[str, Any]:
    """Interaction data: options inside the subcommand that they belong to."""
    for depth, part in enumerate(reversed(command.path[1:])):
        kind = OptionType.SUB_COMMAND if depth == 0 else OptionType.SUB_COMMAND_GROUP
        options = [{"type": int(kind), "name": part, "options": options}]
    return {
        "version": command.version,
        "id": command.id,
        "name": command.path[0],
        "type": 1,
        "options": options,
    }


def asking(command: Command, filled: Sequence[Filled], current: Filled) -> dict[str, Any]:
    """Interaction data that asks for the choices of the option that is being typed."""
    options = [
        _given(f.option, f.text) | ({"focused": True} if f is current else {})
        for f in filled
        if f.text or f is current
    ]
    return data_of(command, options)


def _given(option: Option, value: Any) -> dict[str, Any]:
    return {"type": option.type, "name": option.name, "value": value}


def value_of(filled: Filled, lookup: Lookup) -> Any:
    """The value as Discord wants it; raises `SlashError` for what the option does not take."""
    option, text = filled.option, filled.text
    found: Any = text
    if option.choices:
        found = _choice(option, text)
    match option.type:
        case OptionType.INTEGER | OptionType.NUMBER if not option.choices:
            found = _number(option, text)
        case OptionType.BOOLEAN:
            if text.lower() not in _TRUE | _FALSE:
                raise SlashError(f"{option.name} is yes or no.")
            found = text.lower() in _TRUE
        case OptionType.USER | OptionType.MENTIONABLE:
            found = _known(text, lookup.user(text.lstrip("@")), "Nobody here is called")
        case OptionType.CHANNEL:
            found = _known(text, lookup.channel(text.lstrip("#")), "There is no channel")
        case OptionType.ROLE:
            found = _known(text, lookup.role(text.lstrip("@")), "There is no role")
        case OptionType.ATTACHMENT:
            raise SlashError("This page cannot put a file into a command.")
    return found


def _choice(option: Option, text: str) -> Any:
    for shown, value in option.choices:
        if text.lower() in (shown.lower(), str(value).lower()):
            return value
    names = ", ".join(shown for shown, _ in option.choices)
    raise SlashError(f"{option.name} is one of: {names}.")


def _number(option: Option, text: str) -> float:
    found = measure(text, whole=option.type == OptionType.INTEGER)
    if found is None:
        raise SlashError(f"{option.name} is a number.")
    return found


def _known(text: str, found: str, nobody: str) -> str:
    if not found:
        raise SlashError(f"{nobody} {text}.")
    return found
