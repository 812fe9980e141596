"""The commands that steer: kill, resume, restart. Each needs an operator, checked where the act
happens.
"""

from __future__ import annotations

import difflib

from bots.commands.asked import Asked
from bots.commands.parse import Spoken
from bots.commands.reading import agent_and_reason, agent_first, words_of
from bots.commands.registry import Arguments, Command, Desk, Kind, Option, Run

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


_REASON = Option("reason", "Why; it stays on record")


def order_of(name: str, arguments: Arguments) -> str:
    """A steering command's options as the words that mean the same: ``kill all it loops``."""
    given = dict(arguments)
    if name == "kill" and not given.get("agent"):
        given["agent"] = "all"
    return f"{name} {words_of(('agent', 'reason'), given)}".strip()


def _steers(name: str) -> Run:
    async def steer(desk: Desk, asked: Asked, arguments: Arguments) -> str:
        # What was spoken is passed on word by word: a signature may hang on it.
        order = asked.words if asked.interaction is None else order_of(name, arguments)
        return await desk.steer(asked, order)

    return steer


#: whom they mean is worked out where they are carried out
STEERING = (
    Command(
        name="kill",
        slash="kill-autonomous",
        usage="[AGENT|all] [REASON]",
        summary="stop at once",
        options=(Option("agent", "Whom; left out: all", Kind.SCOPE), _REASON),
        read=agent_and_reason,
        run=_steers("kill"),
        steering=True,
        when_killed=True,
    ),
    Command(
        name="resume",
        usage="AGENT|all REASON",
        summary="take a kill back",
        options=(
            Option("agent", "Whom, or all", Kind.SCOPE, required=True),
            Option("reason", "Why; it stays on record", required=True),
        ),
        read=agent_and_reason,
        run=_steers("resume"),
        steering=True,
        when_killed=True,
    ),
    Command(
        name="restart",
        usage="AGENT|all",
        summary="a new process; others have the operators asked",
        options=(Option("agent", "Whom, or all", Kind.SCOPE, required=True),),
        read=agent_first,
        run=_steers("restart"),
        steering=True,
    ),
)
