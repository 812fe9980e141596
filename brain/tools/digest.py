"""The summary tool: what happened in a channel, in lines that people really said."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from brain.conversations import Line
from brain.summarise import Highlight, Summary, summarise
from brain.tools.context import Context
from brain.tools.hearing import DayArgument, HoursArgument
from brain.tools.period import Period, clock, period
from brain.tools.places import channel_asked
from brain.tools.quoting import counted, crop, of_people, people
from brain.tools.registry import Effects, ToolResult, tool
from storage import record
from storage.tables import TALK, Message
from storage.unit import Unit

#: lines of one summary at most, newest first: bounds the time it costs
MOST_LINES = 2_000
#: conversations shown
SHOWN = 4
#: characters of an opening and of its reply: together they fit one IRC line
OPENING = 190
REPLY = 150
#: without a period, a summary covers the day that ends with the newest line
DAY = timedelta(hours=24)


@tool(effects=Effects.READS, guard_class="memory")
async def summary(
    context: Context,
    channel: Annotated[str | None, "channel; left out: the one of the question"] = None,
    hours: HoursArgument = None,
    day: DayArgument = None,
) -> ToolResult:
    """Summarise a channel in lines that people said: conversations with their openings and
    answers, topics.
    """
    when = period(hours, day, context.now())
    async with context.store.reading() as unit:
        place = await channel_asked(context, unit, channel)
        heard = await _heard(context, unit, place, when)
        newest = [] if heard else await record.tail(unit, context.network, place, limit=1)
    lines = _talk(context, heard)
    # In a thread: a fifth of a second of counting must not hold up the heartbeat.
    found = await asyncio.to_thread(summarise, lines, SHOWN)
    if found is None:
        return ToolResult(text=_nothing(context, place, when, newest))
    head = _head(place, when, found, context.now(), cut=len(heard) >= MOST_LINES)
    rows = [_row(highlight) for highlight in found.highlights]
    return ToolResult(text="\n".join([head, *rows]), evidence_ids=_evidence(found))


async def _heard(context: Context, unit: Unit, place: str, when: Period) -> Sequence[Message]:
    """Lines of the period, oldest first; without one, of the last day that had any."""
    if when.since is None:
        newest = await record.tail(unit, context.network, place, limit=MOST_LINES)
        return [m for m in newest if newest[-1].said_at - m.said_at <= DAY]
    until = when.until or context.now() + timedelta(minutes=1)
    return await record.between(unit, context.network, place, when.since, until, MOST_LINES)


def _talk(context: Context, heard: Sequence[Message]) -> list[Line]:
    talk = of_people(context)
    lines = [
        Line(at=m.said_at, nick=m.sender, text=m.text, id=m.id or 0)
        for m in heard
        if m.kind in TALK and talk(m.sender, m.text)
    ]
    return sorted(lines, key=lambda line: (line.at, line.id))


def _head(place: str, when: Period, found: Summary, now: datetime, *, cut: bool) -> str:
    span = f"{clock(found.first_at, now)} to {clock(found.last_at, now)} UTC"
    said = f"{'the newest ' if cut else ''}{counted(found.lines, 'line')}"
    by = f"{counted(len(found.people), 'person')} ({people(found.people, 3)})"
    topics = [topic for topic in found.topics if topic != place.lstrip("#&")]
    about = f" Topics: {', '.join(topics)}." if topics else ""
    return f"{place}{when.words}: {said} by {by}, {span}.{about}"


def _row(highlight: Highlight) -> str:
    opening = highlight.opening
    row = f"{opening.at:%H:%M} <{opening.nick}> {crop(opening.text, OPENING)}"
    if highlight.reply is not None:
        row += f" → <{highlight.reply.nick}> {crop(highlight.reply.text, REPLY)}"
    solved = ", solved" if highlight.solved else ""
    return f"• {row} [{counted(highlight.lines, 'line')}{solved}]"


def _nothing(context: Context, place: str, when: Period, newest: Sequence[Message]) -> str:
    last = (
        f" The last line there is of {clock(newest[-1].said_at, context.now())} UTC."
        if newest
        else ""
    )
    return f"I have heard nothing in {place}{when.words}.{last}"


def _evidence(found: Summary) -> tuple[int, ...]:
    lines = [line for h in found.highlights for line in (h.opening, h.reply) if line is not None]
    return tuple(line.id for line in lines if line.id)
