"""The guard's word on the project's status: the captain alone changes it, and operators."""

from __future__ import annotations

from typing import Final

from brain.guard import Refusal
from storage.acts import Act
from storage.unit import Unit

VERB: Final = "set"
TARGET: Final = "project:status"
#: detail of an act that an operator ordered: who, as the gate vouched for him. Code sets it,
#: never a model.
OPERATOR: Final = "operator"


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
