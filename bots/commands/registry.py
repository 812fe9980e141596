"""Commands: one definition each, spoken with a prefix on IRC, picked from a list on Discord and in
the console.

A query command calls the tool that the brain would call; a steering command needs an operator. What
a handler returns is the answer; an empty text is silence, None says that others answer.
"""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from bots.commands.asked import Asked
from bots.control.operators import Operators
from bots.control.requests import Requests
from bots.delegating.desk import DelegationDesk
from bots.project.desk import ProjectDesk
from bots.workflows.beginning import Beginnings
from brain.compaction import Compacted
from brain.wallet.budgets import Budget
from storage.latch import Latch
from storage.store import Store

#: option name → text, or a number for hours
Arguments = Mapping[str, Any]


class Unclear(Exception):
    """The words name nobody, or nothing that is there; the text is the answer."""


class Kind(StrEnum):
    """What an option takes, and so what is offered while it is typed."""

    TEXT = "text"
    #: one word that names something, such as D-7k2m9qxa
    CODE = "code"
    #: of money, such as 11.90 EUR
    SUM = "sum"
    AGENT = "agent"
    #: an agent, or ``all``
    SCOPE = "scope"
    #: an agent, or ``project``
    SUBJECT = "subject"
    CHANNEL = "channel"
    #: a number of hours
    HOURS = "hours"
    #: today, yesterday or YYYY-MM-DD
    DAY = "day"


@dataclass(frozen=True)
class Option:
    name: str
    summary: str
    kind: Kind = Kind.TEXT
    required: bool = False


class Desk(Protocol):
    """What a command may use of the agent that answers it."""

    @property
    def agent(self) -> str:
        """Name of the agent that answers."""

    @property
    def agents(self) -> tuple[str, ...]:
        """Every agent of the swarm."""

    def agent_called(self, name: str) -> str | None:
        """The agent of this name or nick, whatever its case."""

    def prefix(self, asked: Asked) -> str:
        """What begins a command where it was asked."""

    @property
    def store(self) -> Store: ...

    @property
    def operators(self) -> Operators: ...

    @property
    def requests(self) -> Requests:
        """Questions that only people decide."""

    def now(self) -> datetime:
        """Aware UTC."""

    async def use_tool(self, asked: Asked, name: str, arguments: Arguments) -> str:
        """Run one of the brain's tools with a permit and give its text."""

    @property
    def own_state(self) -> Callable[[], str]:
        """How the answering agent itself is, in one line."""

    def model_of(self, agent: str) -> str:
        """What this agent thinks with, in a few words."""

    async def compact(self, asked: Asked, agent: str) -> Compacted | None:
        """Make this agent's conversation here shorter; None when there is nothing to do."""

    def budgets_of(self, agent: str) -> Sequence[Budget]:
        """What this agent's calls of models count in: its own budgets, and the swarm's."""

    def latch_on(self, agent: str) -> Latch | None:
        """The kill that holds an agent."""

    def is_open(self, asked: Asked) -> bool:
        """Everybody may read where it was asked."""

    def present(self, asked: Asked) -> Sequence[str]:
        """Agents that can speak where it was asked."""

    async def hand_on(
        self, asked: Asked, agents: Sequence[str], words: str, *, urgent: bool
    ) -> None:
        """Have `agents` find `words` in their inboxes, said by who asks, where it was asked.

        `urgent`: as a command, ahead of talk. A chat line is handed on as it stands; the answering
        agent itself may be among `agents` when it is not urgent.
        """

    @property
    def giving(self) -> DelegationDesk:
        """Where work is handed to agents."""

    @property
    def beginnings(self) -> Beginnings:
        """Where runs of workflows are begun."""

    @property
    def project(self) -> ProjectDesk:
        """Where it is said how the project stands."""

    async def stop(self, asked: Asked) -> bool:
        """End what this agent works on here, and what who asks has waiting; true when there was
        any.
        """

    async def steer(self, asked: Asked, order: str) -> str:
        """Have the supervisor carry out a steering command; the sentence that came of it."""


def named(desk: Desk, name: str) -> str:
    """The agent of this name; raises `Unclear` with the nearest one."""
    found = desk.agent_called(name)
    if found is not None:
        return found
    near = difflib.get_close_matches(name.lower(), desk.agents, 1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(desk.agents)}"
    raise Unclear(f"There is no agent {name!r}{hint}")


Run = Callable[[Desk, Asked, Arguments], Awaitable[str | None]]


@dataclass(frozen=True, kw_only=True)
class Command:
    name: str
    summary: str
    #: chat words → the same arguments that the slash options carry; None when they make no sense
    read: Callable[[str], Arguments | None]
    run: Run
    #: what follows the name when it is spoken, for `help`
    usage: str = ""
    options: tuple[Option, ...] = ()
    #: needs an operator, and is settled before it is carried out
    steering: bool = False
    #: for operators alone, and answered in private on IRC too
    operators: bool = False
    #: a killed agent still answers it
    when_killed: bool = False
    #: on Discord the answer is for the one who asks alone
    private: bool = False
    #: its name on Discord where that differs
    slash: str = ""

    @property
    def slash_name(self) -> str:
        return self.slash or self.name


class Registry:
    """All commands by name."""

    def __init__(self, commands: tuple[Command, ...]) -> None:
        self._commands = {c.name: c for c in commands}

    def __contains__(self, name: object) -> bool:
        return name in self._commands

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands.values())

    def get(self, name: str) -> Command | None:
        return self._commands.get(name)
