"""Commands: one definition each, spoken on IRC with a prefix.

A query command calls the tool that the brain would call; a steering command needs an operator. What
a handler returns is the answer; an empty text is silence.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bots.commands.parse import Spoken
from storage.inbox import Work


class Desk(Protocol):
    """What a command may use of the agent that answers it."""

    async def use_tool(self, work: Work, name: str, arguments: Mapping[str, Any]) -> str:
        """Run one of the brain's tools with a permit and give its text."""

    @property
    def own_state(self) -> Callable[[], str]:
        """How the answering agent itself is, in one line."""

    async def steer(self, work: Work, spoken: Spoken) -> str:
        """Have the supervisor carry out a steering command; the sentence that came of it."""


@dataclass(frozen=True)
class Command:
    name: str
    #: what follows the name, for `help`
    usage: str
    summary: str
    run: Callable[[Desk, Work, Spoken], Awaitable[str]]
    steering: bool = False
    #: a killed agent still answers it
    when_killed: bool = False


class Registry:
    """All commands by name."""

    def __init__(self, commands: tuple[Command, ...]) -> None:
        self._commands = {c.name: c for c in commands}

    def __contains__(self, name: object) -> bool:
        return name in self._commands

    def __iter__(self) -> Any:
        return iter(self._commands.values())

    def __len__(self) -> int:
        return len(self._commands)

    def get(self, name: str) -> Command | None:
        return self._commands.get(name)
