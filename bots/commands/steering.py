"""The commands that steer: kill, resume, restart. Each needs an operator, checked where the act
happens.
"""

from __future__ import annotations

import difflib

from bots.commands.parse import Spoken
from bots.commands.registry import Command, Desk
from storage.inbox import Work

_ALIKE = 0.7


class ScopeError(ValueError):
    """The words name nobody, or somebody who is not there; the text says what to write."""


def scope_of(spoken: Spoken, agents: frozenset[str]) -> tuple[str, str]:
    """Whom a steering command names (``all`` or an agent), and the reason.

    ``kill`` alone means all; every other word must name an agent or be ``all``, so that a name
    which nobody has does not stop everybody. Raises `ScopeError`.
    """
    first, reason = _first_word(spoken)
    if first in agents or first == "all":
        return first, reason
    near = difflib.get_close_matches(first, agents, 1, _ALIKE)
    if near:
        raise ScopeError(f"there is no agent {first!r}; did you mean {near[0]}? Nothing was done")
    if spoken.target is not None:
        raise ScopeError(f"{spoken.name} takes all or the name of an agent, not {spoken.target!r}")
    if spoken.name == "kill" and not spoken.words:
        return "all", ""
    raise ScopeError(f"say whom: {spoken.name} all, or the name of an agent; nothing was done")


def _first_word(spoken: Spoken) -> tuple[str, str]:
    if spoken.target is not None:
        kind, _, name = spoken.target.partition(":")
        return (name if kind == "agent" else spoken.target), spoken.words
    first, _, rest = spoken.words.partition(" ")
    return first.lower(), rest.strip()


def steering() -> tuple[Command, ...]:
    """The three commands; whom they mean is worked out where they are carried out."""

    async def steer(desk: Desk, work: Work, spoken: Spoken) -> str:
        return await desk.steer(work, spoken)

    return (
        Command("kill", "[AGENT|all] [REASON]", "stop at once", steer, True, True),
        Command("resume", "AGENT|all REASON", "take a kill back", steer, True, True),
        Command("restart", "AGENT", "a new process", steer, True),
    )
