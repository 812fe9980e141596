"""Tools about the swarm itself: who is in it, how they are, who can do what, what time it is."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from brain.tools.context import AgentCard, Context
from brain.tools.expertise import able
from brain.tools.quoting import counted
from brain.tools.registry import Effects, ToolResult, tool
from storage import agents as agent_store
from storage.latch import Latch
from storage.tables import AgentState


@tool(effects=Effects.READS, guard_class="swarm")
async def status(context: Context) -> ToolResult:
    """How the swarm is: each agent's state, and whether it is killed, by whom and when."""
    async with context.store.reading() as unit:
        rows = await agent_store.roster(unit)
    killed = {row.name: context.latch(row.name) for row in rows}
    states = {r.name: AgentState.KILLED if killed[r.name] else AgentState(r.state) for r in rows}
    if not rows:
        return ToolResult(text="No agent is enrolled.")
    counts = Counter(states.values())
    head = ", ".join(f"{number} {state}" for state, number in counts.most_common())
    odd = [
        f"{r.name}: {states[r.name]}{f' ({r.reason})' if r.reason and not killed[r.name] else ''}"
        for r in rows
        if states[r.name] is not AgentState.READY
    ]
    latches = list(dict.fromkeys(_latched(latch) for latch in killed.values() if latch))
    lines = [f"{counted(len(rows), 'agent')}: {head}.", *latches]
    # When all share one state the head has said it.
    if odd and len(counts) > 1:
        lines.append("; ".join(odd) + ".")
    return ToolResult(text="\n".join(lines))


def _latched(latch: Latch) -> str:
    who = "Everybody is" if latch.scope == "all" else f"{latch.scope} is"
    why = f": {latch.reason}" if latch.reason else ""
    return f"{who} killed, by {latch.by} at {latch.changed_at:%Y-%m-%d %H:%M} UTC{why}."


@tool(effects=Effects.READS, guard_class="swarm")
async def agents(context: Context) -> ToolResult:
    """Which agents there are and what each is for."""
    roster = context.roster()
    if not roster:
        return ToolResult(text="No agent is configured.")
    rows = [f"{card.nick}: {card.description}" for card in roster]
    return ToolResult(text="\n".join([f"{counted(len(rows), 'agent')}:", *rows]))


@tool(effects=Effects.READS, guard_class="swarm")
async def capabilities(context: Context) -> ToolResult:
    """Every capability that agents declare, and which agents have it."""
    having: dict[str, list[str]] = {}
    for card in context.roster():
        for capability in card.capabilities:
            having.setdefault(capability, []).append(card.nick)
    if not having:
        return ToolResult(text="No agent declares a capability.")
    rows = [f"{capability}: {', '.join(having[capability])}" for capability in sorted(having)]
    return ToolResult(text="\n".join(rows))


@tool(effects=Effects.READS, guard_class="swarm")
async def who_can(
    context: Context, capability: Annotated[str, "what is to be done, in a few words"]
) -> ToolResult:
    """Which agents can do something, best first, by the capabilities they declare."""
    found = able(context.roster(), capability)
    if not found:
        every = sorted({c for card in context.roster() for c in card.capabilities})
        there_are = f" There is: {', '.join(every)}." if every else ""
        return ToolResult(text=f"No agent declares “{capability}”.{there_are}")
    rows = [_able(card) for card in found[:3]]
    return ToolResult(text="\n".join([f"For “{capability}” ask:", *rows]))


def _able(card: AgentCard) -> str:
    can = f" (can: {', '.join(card.capabilities)})" if card.capabilities else ""
    return f"{card.nick}: {card.description}{can}"


@tool(effects=Effects.NONE, guard_class="swarm")
async def now(context: Context) -> ToolResult:
    """The time and date, in UTC."""
    at = context.now()
    return ToolResult(text=f"It is {at:%H:%M} UTC on {at:%A}, {at.day} {at:%B %Y}.")
