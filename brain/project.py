"""Rules about the project: the captain alone changes how it stands, and operators; what its log
says is repeated where people may read what it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from brain.guard import Refusal
from storage.acts import Act
from storage.happenings import Exchange
from storage.project_tables import ProjectEntry
from storage.unit import Unit

VERB: Final = "set"
TARGET: Final = "project:status"
#: how it stands before anybody said
NOBODY_SAID: Final = "Nobody has said yet how the project stands."
#: detail of an act that an operator ordered: who, as the gate vouched for him. Code sets it,
#: never a model.
OPERATOR: Final = "operator"


def may_be_quoted(one: ProjectEntry | Exchange, is_open: Callable[[str, str], bool]) -> bool:
    """Whether its words may be repeated where people may read what was said in a place (network,
    channel) for which `is_open` is true. What came by a hook or from a shell was said nowhere.
    """
    return not one.channel or is_open(one.network, one.channel)


class ProjectPolicy:
    """As `brain.guard.Policy`."""

    name = "project"

    def __init__(self, captain: str) -> None:
        self._captain = captain

    async def weigh(self, act: Act, unit: Unit) -> Refusal | None:
        _ = unit  # swarm.toml decides, and nothing that can be written meanwhile
        if act.verb != VERB or act.target != TARGET:
            return None
        if act.agent == self._captain or act.details.get(OPERATOR):
            return None
        reason = f"only {self._captain} changes how the project stands; tell it what it should know"
        return Refusal(policy=self.name, reason=reason)
