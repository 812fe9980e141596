"""What somebody wants done, before it is a delegation; and why it does not become one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

#: "whoever is best at it"
AUTO: Final = "auto"
#: kind of what is no work but a case for people, as `brain.cases.as_text` has it: the captain's to
#: put before them
CASE: Final = "case"
#: kind of what is no work but a word in a talk of two agents: that goes through nobody else's hands
TALK: Final = "talk"
#: kind of what asks for minutes
MINUTES: Final = "minutes"
#: smaller is sooner
PRIORITIES: Final = {"high": 10, "normal": 20, "low": 30}
#: of the captain's, whatever they say
CAPTAINS: Final = 5
LONGEST_INSTRUCTION: Final = 8_000
LONGEST_DEADLINE: Final = timedelta(days=1)


class NotGiven(Exception):
    """The order is refused; the text says why, to the one who gave it."""


class NobodyOfThatName(NotGiven):
    """There is no such agent."""


class NotAllowed(NotGiven):
    """Who gave it may not give it to that agent."""


class NobodyNow(NotAllowed):
    """Whoever may do it is down."""


class Reused(NotGiven):
    """Its idempotency key was used for something else."""


class Killed(NotGiven):
    """The agent, or the swarm, is killed."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is wanted of an agent."""

    #: an agent's name, or `AUTO`
    to: str
    #: with `AUTO`: the agents of whom one is chosen; empty: of all
    among: tuple[str, ...] = ()
    instruction: str
    #: ``shell``, ``hook:NAME``, ``discord:user:45``, ``account:alice``, ``agent:captain``
    asked_by: str
    #: ``task`` owes a result; ``wake`` is a word to think about; `CASE`; `TALK`; `MINUTES`
    kind: str = "task"
    #: code of the talk that it is a turn of
    talk: str = ""
    #: typed address of where the result is said, besides
    deliver_to: str = ""
    #: the instruction's own words may say where, too: “… and post it to #reports”
    may_name_place: bool = True
    priority: int = PRIORITIES["normal"]
    deadline: timedelta = timedelta(hours=1)
    tries: int = 3
    idempotency_key: str | None = None
    #: where it was asked, as the record names it; empty: by a hook or from a shell
    network: str = ""
    channel: str = ""
    #: a person asks where not everybody reads
    is_private: bool = False
    #: delegation for which this one is given
    parent_id: int | None = None
    trace_id: str = ""
