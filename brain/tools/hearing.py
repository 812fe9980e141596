"""Tools over what was heard: find lines, read around one, when somebody was last seen, how much was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from sqlmodel.ext.asyncio.session import AsyncSession

from brain.errors import BadArguments
from brain.tools.context import Context
from brain.tools.period import Period, ago, clock, period
from brain.tools.places import channel_here, channel_named, nick_named
from brain.tools.quoting import LONGEST_QUOTE, counted, crop, for_agents, people, quote
from brain.tools.recall import around, is_public, last_public, lines_of
from brain.tools.registry import Effects, ToolResult, tool
from brain.words import stems
from storage import record
from storage import search as full_text
from storage.search import Found
from storage.tables import LineKind

#: lines that a search looks at, and how many of them it shows
LOOKED_AT = 100
SHOWN = 5

ChannelArgument = Annotated[str | None, "channel such as #lobby; left out: every channel"]
HoursArgument = Annotated[float | None, "only the last so many hours"]
DayArgument = Annotated[str | None, "only one day (UTC): today, yesterday or YYYY-MM-DD"]


@tool(effects=Effects.READS, guard_class="memory")
async def search(
    context: Context,
    query: Annotated[str | None, "words to look for; may be left out when nick is given"] = None,
    channel: ChannelArgument = None,
    nick: Annotated[str | None, "only lines of this person"] = None,
    hours: HoursArgument = None,
    day: DayArgument = None,
) -> ToolResult:
    """Find lines that people said, with who said each and when. Says how many there are and who said most."""
    now = context.now()
    when = period(hours, day, now)
    async with context.store.reading() as unit:
        place = await channel_named(context, unit, channel) if channel else None
        who = await nick_named(context, unit, nick, place) if nick else None
        if nick and who is None:
            return ToolResult(text=f"I have heard nobody called {nick}{_in(place)}.")
        if not (query or "").strip():
            if who is None:
                raise BadArguments("search: give 'query' or 'nick'")
            return await _latest_of(context, unit, who, place, when)
        found = await full_text.find(
            unit,
            query or "",
            channel=place,
            sender=who,
            since=when.since,
            until=when.until,
            limit=LOOKED_AT,
        )
    return _findings(context, query or "", found, place, who, when)


async def _latest_of(
    context: Context, unit: AsyncSession, nick: str, place: str | None, when: Period
) -> ToolResult:
    """The latest lines of one person, newest first."""
    lines = await lines_of(unit, nick, place, when, LOOKED_AT)
    lines = [m for m in lines if not for_agents(context, m.sender, m.text)]
    if not lines:
        return ToolResult(text=f"I have heard nothing from {nick}{_in(place)}{when.words}.")
    now = context.now()
    shown = [
        quote(
            at=m.said_at,
            nick=m.sender,
            text=m.text,
            now=now,
            channel="" if m.channel in (place, context.channel) else m.channel,
        )
        for m in lines[:SHOWN]
    ]
    number = f"{len(lines)}{' or more' if len(lines) >= LOOKED_AT else ''}"
    head = f"{nick}{_in(place)}{when.words}: newest {len(shown)} of {number} lines (UTC):"
    return ToolResult(
        text="\n".join([head, *shown]), evidence_ids=tuple(m.id for m in lines[:SHOWN] if m.id)
    )


def _findings(
    context: Context,
    query: str,
    found: Sequence[Found],
    place: str | None,
    who: str | None,
    when: Period,
) -> ToolResult:
    said = [f for f in found if is_public(f.channel) and not for_agents(context, f.sender, f.text)]
    about = f"“{query}”{_by(who)}{_in(place)}{when.words}"
    if not said:
        return ToolResult(text=f"I have heard nothing about {about}.")
    wanted = set(stems(query))
    whole = [f for f in said if wanted <= set(stems(f.text))]
    best = sorted(whole or said, key=lambda f: (f.said_at, f.id), reverse=True)
    if not whole and wanted:
        best = sorted(said, key=lambda f: -len(wanted & set(stems(f.text))))
    shown = list({(f.sender, f.text): f for f in best}.values())[:SHOWN]
    head = _head(
        about, best, len(shown), full=len(found) >= LOOKED_AT, whole=bool(whole or not wanted)
    )
    several = place is None and len({f.channel for f in shown}) > 1
    now = context.now()
    rows = [
        quote(
            at=f.said_at,
            nick=f.sender,
            text=f.text,
            now=now,
            channel="" if place or not (several or f.channel != context.channel) else f.channel,
            around=query,
        )
        for f in shown
    ]
    return ToolResult(text="\n".join([head, *rows]), evidence_ids=tuple(f.id for f in shown))


def _head(about: str, best: Sequence[Found], shown: int, *, full: bool, whole: bool) -> str:
    number = f"{len(best)}{' or more' if full else ''}"
    lines = "line" if number == "1" else "lines"
    if not whole:
        return (
            f"No line has all the words of {about}; the nearest {shown} of {number} {lines} (UTC):"
        )
    by = people(Counter(f.sender for f in best).most_common(), 4)
    if shown < len(best):
        return f"{about}: {number} {lines} (by {by}), newest {shown} (UTC):"
    return f"{about}: {number} {lines} (by {by}), newest first (UTC):"


@tool(effects=Effects.READS, guard_class="memory")
async def read_around(
    context: Context,
    message: Annotated[int, "id of a recorded line"],
    lines: Annotated[int, "how many lines before and after it, at most 10"] = 3,
) -> ToolResult:
    """Read what was said right before and after one recorded line."""
    if not 0 < lines <= 10:
        raise BadArguments("read_around: 'lines' must be from 1 to 10")
    async with context.store.reading() as unit:
        found = await around(unit, message, lines)
    if not found:
        return ToolResult(text=f"I have no line {message}.")
    now = context.now()
    rows = [quote(at=m.said_at, nick=m.sender, text=m.text, now=now) for m in found]
    head = f"Around line {message} in {found[0].channel} (UTC):"
    return ToolResult(
        text="\n".join([head, *rows]), evidence_ids=tuple(m.id for m in found if m.id)
    )


@tool(effects=Effects.READS, guard_class="memory")
async def seen(context: Context, nick: Annotated[str, "the person"]) -> ToolResult:
    """When somebody was last seen, where, and what they did then."""
    async with context.store.reading() as unit:
        name = await nick_named(context, unit, nick, None)
        last = await last_public(unit, name) if name else None
    wanted = nick.strip().lstrip("@").rstrip("?")
    card = next((c for c in context.roster() if wanted.lower() in (c.name, c.nick.lower())), None)
    known = f"{card.nick} is one of us: {card.description}" if card else ""
    if last is None:
        return ToolResult(text=known or f"I have never seen {wanted}.")
    now = context.now()
    when = f"{clock(last.said_at, now)} UTC ({ago(last.said_at, now)})"
    told = f"{last.sender} was last seen in {last.channel} at {when}, {_deed(last.kind, last.text)}"
    return ToolResult(
        text=f"{known}\n{told}" if known else told,
        evidence_ids=(last.id,) if last.id else (),
    )


def _deed(kind: str, text: str) -> str:
    match kind:
        case LineKind.SAID | LineKind.NOTICE:
            return f"saying: {crop(text, LONGEST_QUOTE)}"
        case LineKind.ACTION:
            return f"doing: * {crop(text, LONGEST_QUOTE)}"
        case LineKind.NICK:
            return f"taking the name {text}"
        case LineKind.TOPIC:
            return f"setting the topic: {crop(text, LONGEST_QUOTE)}"
        case LineKind.KICK:
            return f"kicking {crop(text, LONGEST_QUOTE)}"
        case LineKind.JOIN:
            return "joining."
        case _:
            return f"leaving{f' ({crop(text, LONGEST_QUOTE)})' if text else ''}."


@tool(effects=Effects.READS, guard_class="memory")
async def stats(
    context: Context,
    channel: Annotated[str | None, "channel; left out: the one of the question"] = None,
    hours: HoursArgument = None,
) -> ToolResult:
    """How much was said in a channel, by how many people, who talks most, and the busiest hour."""
    now = context.now()
    when = period(hours, None, now)
    async with context.store.reading() as unit:
        place = (
            await channel_named(context, unit, channel)
            if channel
            else await channel_here(context, unit)
        )
        found = await record.stats(unit, place, when.since, network=context.network)
    if not found.lines or found.first_at is None or found.last_at is None:
        return ToolResult(text=f"I have heard nothing in {place}{when.words}.")
    span = f"{clock(found.first_at, now)} to {clock(found.last_at, now)} UTC"
    busiest = (
        "" if found.busiest_hour is None else f" Busiest hour: {found.busiest_hour:02d}:00 UTC."
    )
    said = f"{counted(found.lines, 'line')} by {counted(found.people, 'person')}"
    return ToolResult(
        text=f"{place}{when.words}: {said}, {span}. Most: {people(found.speakers)}.{busiest}"
    )


def _in(place: str | None) -> str:
    return f" in {place}" if place else ""


def _by(nick: str | None) -> str:
    return f" by {nick}" if nick else ""
