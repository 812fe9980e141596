"""The guard's word on asking people: the captain alone does; others ask the captain."""

from __future__ import annotations

from typing import Final

from brain.guard import Refusal
from storage.acts import Act
from storage.unit import Unit

VERB: Final = "ask"
_PREFIX: Final = "people:"


def target_of(kind: str) -> str:
    """What an act of asking people for something of this kind is aimed at."""
    return f"{_PREFIX}{kind}"


class PeoplePolicy:
    """As `brain.guard.Policy`."""

    name = "people"

    def __init__(self, captain: str) -> None:
        self._captain = captain

    async def weigh(self, act: Act, unit: Unit) -> Refusal | None:
        _ = unit  # swarm.toml decides, and nothing that can be written meanwhile
        if act.verb != VERB or not act.target.startswith(_PREFIX) or act.agent == self._captain:
            return None
        return Refusal(policy=self.name, reason=f"only {self._captain} puts questions to people")
