"""The guard's word on handing out work: what swarm.toml does not allow is not done."""

from __future__ import annotations

from typing import Final

from brain.delegation.authority import Authority
from brain.guard import Refusal
from storage.acts import Act
from storage.unit import Unit

VERB: Final = "delegate"
_PREFIX: Final = "agent:"


def target_of(agent: str) -> str:
    """What an act of handing work to `agent` is aimed at."""
    return f"{_PREFIX}{agent}"


class AuthorityPolicy:
    """As `brain.guard.Policy`. Of an act it reads the target and ``chain``, the agents through
    whose hands the work came; it is empty for what a person gives to this very agent.
    """

    name = "authority"

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def weigh(self, act: Act, unit: Unit) -> Refusal | None:
        _ = unit  # swarm.toml decides, and nothing that can be written meanwhile
        if act.verb != VERB:
            return None
        receiver = act.target.removeprefix(_PREFIX)
        chain = tuple(act.details.get("chain", ()))
        if not chain and receiver == act.agent:
            return None
        objection = self._authority.objection(act.agent, receiver, chain)
        return Refusal(policy=self.name, reason=objection) if objection else None
