"""Who may hand work to whom, pure.

An agent gives work to those that swarm.toml lets it give work to. Whoever may not asks somebody who
may: the request goes through that one's hands. Work never comes back to an agent that it has come
through, so there are no cycles and nobody orders those above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: in swarm.toml: everybody
ALL = "all"


@dataclass(frozen=True)
class Authority:
    """`allowed` names for each agent those it may give work to, `ALL` for everybody."""

    allowed: Mapping[str, Sequence[str]]
    #: agents between a person's word and who does the work
    max_hops: int

    def may_give(self, sender: str, receiver: str) -> bool:
        """What swarm.toml says; nobody is free to give work to himself."""
        mine = self.allowed.get(sender, ())
        return receiver in self.allowed and sender != receiver and (receiver in mine or ALL in mine)

    def objection(self, sender: str, receiver: str, chain: Sequence[str]) -> str:
        """Why `receiver` shall not get this from `sender`; empty when nothing speaks against it.

        `chain` are the agents through whose hands it came, `sender` last.
        """
        if receiver not in self.allowed:
            return f"there is no agent {receiver!r}"
        if receiver in chain:
            way = " → ".join((*chain, receiver))
            return f"it came through {receiver}'s hands already ({way})"
        if len(chain) > self.max_hops:
            return f"it went through {len(chain)} agents already, and {self.max_hops} may be"
        if not self.may_give(sender, receiver):
            may = ", ".join(self.allowed.get(sender, ())) or "nobody"
            return f"{sender} may not give work to {receiver} (it may to {may})"
        return ""

    def mediators(self, sender: str, receiver: str, chain: Sequence[str]) -> list[str]:
        """Who could pass it on to `receiver` for `sender`: those who may give work to more agents
        than `sender` may; the ones with the least authority first, so that the captain comes last.
        """
        could = [
            agent
            for agent in self.allowed
            if agent != receiver
            and self._reach(agent) > self._reach(sender)
            and not self.objection(sender, agent, chain)
            and not self.objection(agent, receiver, (*chain, agent))
        ]
        return sorted(could, key=lambda a: (self._reach(a), a))

    def _reach(self, agent: str) -> int:
        return sum(self.may_give(agent, other) for other in self.allowed)
