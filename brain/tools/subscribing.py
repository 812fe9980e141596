"""Tools by which an agent is told of events: it subscribes, and reads what it has not read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from brain.errors import BadArguments, ToolError
from brain.tools.context import Context
from brain.tools.period import clock
from brain.tools.registry import Effects, ToolResult, tool
from storage import deliveries, subscriptions
from storage.deliveries import Notice
from storage.subscriptions import TooMany, Wanted, receiver_of
from storage.topics import TOPICS, PatternError, pattern_of
from storage.unit import Unit

#: events that an agent is shown at once
SHOWN: Final = 20


@tool(effects=Effects.ONCE, guard_class="events")
async def subscribe(
    context: Context,
    topic: Annotated[str, f"{', '.join(TOPICS)}; delegation.failed, *.failed or * for all"],
) -> ToolResult:
    """Have events of a topic kept for you: unread shows them, and so does a look around."""
    pattern = _pattern("subscribe", topic)
    receiver = receiver_of(context.agent)
    wanted = Wanted(receiver=receiver, topic=pattern, made_by=receiver)

    async def write(unit: Unit) -> int:
        return await subscriptions.add(
            unit, wanted, by=context.agent, now=context.now(), trace_id=context.trace_id
        )

    try:
        await context.store.write(write)
    except TooMany as error:
        raise ToolError(f"subscribe: {error}") from error
    return ToolResult(text=f"Events of {pattern} are kept for you from now on.")


@tool(effects=Effects.ONCE, guard_class="events")
async def unsubscribe(
    context: Context, topic: Annotated[str, "as it was subscribed to"]
) -> ToolResult:
    """Have events of a topic kept no more; what is unread stays."""
    pattern, receiver = topic.strip().lower(), receiver_of(context.agent)

    async def write(unit: Unit) -> list[str]:
        known = await subscriptions.of(unit, receiver)
        for one in known:
            if one.topic == pattern:
                by, now, trace_id = context.agent, context.now(), context.trace_id
                await subscriptions.end(
                    unit, one, by=by, made_by=receiver, now=now, trace_id=trace_id
                )
        return [one.topic for one in known]

    there = await context.store.write(write)
    if pattern not in there:
        raise ToolError(f"unsubscribe: you have {', '.join(there) or 'no subscriptions'}")
    return ToolResult(text=f"Events of {pattern} are kept for you no more.")


@tool(effects=Effects.WRITES, guard_class="events")
async def unread(context: Context) -> ToolResult:
    """Read the events that were kept for you, oldest first; what is shown counts as read."""

    async def take(unit: Unit) -> tuple[list[Notice], int]:
        found, count = await deliveries.unread(unit, receiver_of(context.agent), SHOWN)
        await deliveries.read(unit, found, context.now())
        return found, count

    found, count = await context.store.write(take)
    if not found:
        return ToolResult(text="Nothing is unread.")
    now = context.now()
    more = [f"{count - len(found)} more: call unread again"] if count > len(found) else []
    return ToolResult(text="\n".join([*(told(one, now) for one in found), *more]))


def told(notice: Notice, now: datetime) -> str:
    """One event as an agent reads it; of another day than `now` with its date."""
    return f"{clock(notice.at, now)} {notice.topic}: {notice.text} {notice.ref}".rstrip()


def _pattern(tool_name: str, topic: str) -> str:
    try:
        return pattern_of(topic)
    except PatternError as error:
        raise BadArguments(f"{tool_name}: {error}") from error
