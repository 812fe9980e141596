"""The commands that steer: kill, resume, restart. Each needs an operator, checked where the act
happens.
"""

from __future__ import annotations

from bots.commands.parse import Spoken
from bots.commands.registry import Command, Desk
from storage.inbox import Work


def scope_of(spoken: Spoken, agents: frozenset[str]) -> tuple[str, str]:
    """Whom a steering command names, and the reason: ``kill auditor it repeats itself``.

    Without a name the whole swarm is meant. ``agent:auditor`` is the same as ``auditor``.
    """
    if spoken.target is not None:
        kind, _, name = spoken.target.partition(":")
        return (name if kind == "agent" else "all"), spoken.words
    first, _, rest = spoken.words.partition(" ")
    if first.lower() in agents:
        return first.lower(), rest.strip()
    return "all", spoken.words


def steering(agents: frozenset[str]) -> tuple[Command, ...]:
    """The three commands, for a swarm of these agents."""

    async def steer(desk: Desk, work: Work, spoken: Spoken) -> str:
        scope, reason = scope_of(spoken, agents)
        return await desk.steer(work, spoken, scope, reason)

    async def restart(desk: Desk, work: Work, spoken: Spoken) -> str:
        scope, reason = scope_of(spoken, agents)
        return "" if scope == "all" else await desk.steer(work, spoken, scope, reason)

    return (
        Command("kill", "[AGENT|all] [REASON]", "stop at once", steer, True, True),
        Command("resume", "[AGENT|all] REASON", "take a kill back", steer, True, True),
        Command("restart", "AGENT", "a new process", restart, True),
    )
