"""Tools that read a channel as it stands: its end, or the neighbours of one line."""

from __future__ import annotations

from typing import Annotated

from brain.errors import BadArguments
from brain.tools.context import Context
from brain.tools.places import channel_asked, thread_asked
from brain.tools.quoting import of_people, quote
from brain.tools.recall import around
from brain.tools.registry import Effects, ToolResult, tool
from storage import record
from storage.tables import TALK

#: lines that `recent` reads at most
MOST_LINES = 20
#: lines that `read_thread` reads at most
MOST_OF_A_THREAD = 50


@tool(effects=Effects.READS, guard_class="memory")
async def recent(
    context: Context,
    channel: Annotated[str | None, "channel; left out: the one of the question"] = None,
    lines: Annotated[int, "how many; at most 20 are read"] = 5,
) -> ToolResult:
    """Read the latest lines of a channel, oldest first."""
    if lines < 1:
        raise BadArguments("recent: 'lines' must be at least 1")
    lines = min(lines, MOST_LINES)
    async with context.store.reading() as unit:
        place = await channel_asked(context, unit, channel)
        heard = await record.tail(unit, context.network, place, limit=lines * 10)
    talk = of_people(context)
    shown = [m for m in heard if m.kind in TALK and talk(m.sender, m.text)][-lines:]
    if not shown:
        return ToolResult(text=f"I have heard nothing in {place}.")
    now = context.now()
    rows = [quote(m.text, at=m.said_at, nick=m.sender, now=now) for m in shown]
    return ToolResult(
        text="\n".join([f"The latest in {place} (UTC):", *rows]),
        evidence_ids=tuple(m.id for m in shown if m.id),
    )


@tool(effects=Effects.READS, guard_class="memory")
async def read_thread(
    context: Context,
    thread: Annotated[str | None, "words of its title; left out: the one of the question"] = None,
    lines: Annotated[int, "how many; at most 50 are read"] = 20,
) -> ToolResult:
    """Read the latest lines of a thread, oldest first, those of agents too."""
    if lines < 1:
        raise BadArguments("read_thread: 'lines' must be at least 1")
    lines = min(lines, MOST_OF_A_THREAD)
    async with context.store.reading() as unit:
        place = await thread_asked(context, unit, thread)
        heard = await record.tail(unit, context.network, place, limit=lines * 3)
    shown = [m for m in heard if m.kind in TALK][-lines:]
    if not shown:
        return ToolResult(text=f"I have heard nothing in {place}.")
    now = context.now()
    rows = [quote(m.text, at=m.said_at, nick=m.sender, now=now) for m in shown]
    return ToolResult(
        text="\n".join([f"The latest in {place} (UTC):", *rows]),
        evidence_ids=tuple(m.id for m in shown if m.id),
    )


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
        found = await around(context, unit, message, lines)
    if not found:
        return ToolResult(text=f"I have no line {message}.")
    now = context.now()
    rows = [quote(m.text, at=m.said_at, nick=m.sender, now=now) for m in found]
    head = f"Around line {message} in {found[0].channel} (UTC):"
    return ToolResult(
        text="\n".join([head, *rows]), evidence_ids=tuple(m.id for m in found if m.id)
    )
