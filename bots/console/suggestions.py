"""What the composer offers while a person types: commands, options, their values, and names. Pure,
but for the choices that only an application knows; those are asked for by whoever calls this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bots.console import icons
from bots.console.model import Guild, Kind, Member
from bots.console.slash import Command, Filled, Option, OptionType, fill, find

MOST = 8
_NAME = re.compile(r"(?<!\S)@([\w.-]{0,32})$")
_PEOPLE = (OptionType.USER, OptionType.MENTIONABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One offer. Taking it puts `insert` in place of the text from `start` to the caret."""

    icon: str
    #: what is typed already, shown marked, and the rest of the name
    lead: str
    rest: str
    hint: str = ""
    about: str = ""
    insert: str
    start: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What to show. `ask` is the value that the application itself must complete."""

    rows: tuple[Row, ...] = ()
    ask: tuple[Command, Sequence[Filled], Filled] | None = None


def suggest(text: str, commands: Sequence[Command], guild: Guild) -> Offer:
    """Offers for `text`, which ends at the caret."""
    if text.startswith("/"):
        found = find(text, commands)
        if found is None or found[1] == len(text.rstrip()) == len(text):
            return Offer(tuple(_commands(text, commands)))
        return _in_command(text, found[0], found[1], guild)
    name = _NAME.search(text)
    if name:
        return Offer(tuple(_people(name[1], name.start(), guild, mark="@")))
    return Offer()


def choice_rows(current: Filled, choices: Iterable[tuple[str, object]]) -> tuple[Row, ...]:
    """An application's own choices as rows."""
    return tuple(_value(current, str(value), shown) for shown, value in choices)[: MOST * 3]


def _commands(text: str, commands: Sequence[Command]) -> Iterable[Row]:
    typed = " ".join(text[1:].lower().split())
    begin = [c for c in commands if c.name.startswith(typed)]
    inside = [c for c in commands if typed and typed in c.name and c not in begin]
    for command in [*begin, *inside]:
        lead = typed if command in begin else ""
        yield Row(
            icon=icons.of_command(command.name),
            lead="/" + lead,
            rest=command.name[len(lead) :],
            hint=command.usage,
            about=command.description,
            insert=f"/{command.name} ",
            start=0,
        )


def _in_command(text: str, command: Command, start: int, guild: Guild) -> Offer:
    filled = fill(text, command, start)
    ends_open = not text.endswith(" ") or text.rstrip().endswith(":")
    current = filled[-1] if filled and ends_open else None
    if filled and text.rstrip().endswith(f"{filled[-1].option.name}:") and not filled[-1].text:
        current = filled[-1]
    if current is None:
        given = {f.option.name for f in filled if f.text}
        left = [o for o in command.options if o.name not in given]
        if not filled and len(text) >= start and left:
            # the first value may be typed without its name: offer its values at once
            first = Filled(left[0], "", len(text))
            values = _values(first, guild, command, [first])
            if values.rows or values.ask:
                return values
        return Offer(tuple(_option(o, len(text)) for o in left))
    return _values(current, guild, command, filled)


def _option(option: Option, at: int) -> Row:
    return Row(
        icon="option",
        lead="",
        rest=f"{option.name}:",
        hint="" if option.required else "may be left out",
        about=option.description,
        insert=f"{option.name}:",
        start=at,
    )


def _values(current: Filled, guild: Guild, command: Command, filled: Sequence[Filled]) -> Offer:
    option, typed = current.option, current.text.lower()
    if option.autocomplete:
        return Offer(ask=(command, filled, current))
    if option.choices:
        rows = (_value(current, shown, shown) for shown, _ in option.choices)
        return Offer(tuple(r for r in rows if typed in (r.lead + r.rest).lower()))
    if option.type == OptionType.BOOLEAN:
        return Offer(tuple(_value(current, w, w) for w in ("yes", "no") if w.startswith(typed)))
    if option.type in _PEOPLE:
        return Offer(tuple(_people(typed.lstrip("@"), current.start, guild, mark="@")))
    if option.type == OptionType.CHANNEL:
        names = (c.name for c in guild.channels.values() if c.kind == Kind.TEXT)
        found = [n for n in names if n.startswith(typed.lstrip("#"))]
        return Offer(tuple(_value(current, f"#{n}", f"#{n}") for n in found[:MOST]))
    return Offer()


def _value(current: Filled, value: str, shown: str) -> Row:
    typed = current.text
    lead = shown[: len(typed)] if shown.lower().startswith(typed.lower()) else ""
    is_agent = current.option.name == "agent" or current.option.type in _PEOPLE
    return Row(
        icon=icons.of_agent(value) if is_agent else "option",
        lead=lead,
        rest=shown[len(lead) :],
        hint=current.option.name,
        about="" if shown == value else value,
        insert=(f'"{value}" ' if " " in value else f"{value} "),
        start=current.start,
    )


def _people(typed: str, start: int, guild: Guild, *, mark: str) -> Iterable[Row]:
    typed = typed.lower()

    def order(member: Member) -> tuple[bool, str]:
        return not member.name.lower().startswith(typed), member.name.lower()

    here = [m for m in guild.members.values() if m.status != "gone" and typed in m.name.lower()]
    for member in sorted(here, key=order)[:MOST]:
        begins = member.name.lower().startswith(typed)
        lead = member.name[: len(typed)] if begins else ""
        yield Row(
            icon=icons.of_agent(member.name) if member.bot else "person",
            lead=mark + lead,
            rest=member.name[len(lead) :],
            about=member.activity or ("agent" if member.bot else "person"),
            insert=f"{mark}{member.name} ",
            start=start,
        )
