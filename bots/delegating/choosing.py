"""Who gets an order: the one that it names, the best of those that may, or who may pass it on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bots.delegating.order import AUTO, TALK, NobodyNow, NotAllowed, Order
from bots.delegating.router import Router
from brain.delegation.authority import Authority
from storage.latch import Latch


@dataclass(frozen=True)
class Chosen:
    agent: str
    #: to whom that one passes it on; empty: does it
    passed_to: str = ""
    #: why just this agent, one candidate a line; empty: nobody else was thought of
    why: str = ""


@dataclass(frozen=True)
class Choosing:
    """For what `agent` gives."""

    agent: str
    authority: Authority
    router: Router
    latch: Callable[[str], Latch | None]

    async def of(self, order: Order, chain: tuple[str, ...]) -> Chosen:
        """`chain` are those through whose hands it came, this agent last. Raises `NotAllowed` where
        nobody can be chosen, and `StorageError`.
        """
        wanted, why = order.to, ""
        if order.to == AUTO:
            wanted, why = await self._best(order, chain)
        if not chain or not self.authority.objection(self.agent, wanted, chain):
            return Chosen(wanted, why=why)
        could = self.authority.mediators(self.agent, wanted, chain) if order.kind != TALK else ()
        for mediator in could:
            if not self.latch(mediator):
                return Chosen(mediator, wanted, why)
        # The guard says no, and its no is in the audit.
        return Chosen(wanted, why=why)

    async def _best(self, order: Order, chain: tuple[str, ...]) -> tuple[str, str]:
        among = [
            name
            for name in self.authority.allowed
            if not self.authority.objection(self.agent, name, chain)
            or self.authority.mediators(self.agent, name, chain)
        ]
        by_person = not order.asked_by.startswith("agent:")
        if by_person and order.parent_id is None:
            among.append(self.agent)
        if order.among:
            among = [name for name in among if name in order.among]
        ranked = await self.router.rank(order.instruction, among)
        if not ranked:
            raise NotAllowed("nobody can do it: nobody may be asked")
        if ranked[0].down:
            why = "; ".join(f"{one.agent} {one.down}" for one in ranked)
            raise NobodyNow(f"nobody can do it now: {why}")
        return ranked[0].agent, "\n".join(map(str, ranked[:3]))
