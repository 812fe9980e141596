"""The second best gets what the first was chosen for, when that one went down before it took it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from structlog.typing import FilteringBoundLogger

from bots.delegating import seal
from bots.delegating.desk import DelegationDesk
from brain.delegation.routing import Ranked
from storage import delegating, delegation_looks
from storage.delegation_tables import Delegation
from storage.delegations import chain_of
from storage.unit import Unit

#: who lives takes up work at once
_TAKEN_WITHIN: Final = timedelta(seconds=10)
#: given on at one look; the rest at the next
_PAGE: Final = 16


@dataclass
class Rerouting:
    """For what this agent gave."""

    desk: DelegationDesk
    log: FilteringBoundLogger
    #: id of the last one that was looked at; what nobody else can do keeps no other one waiting
    _after: int = 0

    async def look(self) -> None:
        """Give on what nobody has taken, where there may be such; raises `StorageError`."""
        desk = self.desk
        # Who is only busy takes it in time, however much waits: that costs no look at each.
        down = await desk.router.down()
        if not down:
            return
        before = desk.clock() - _TAKEN_WITHIN
        stuck = await desk.store.read(
            lambda unit: delegation_looks.untaken(
                unit, desk.agent, down, before, after=self._after, limit=_PAGE
            )
        )
        self._after = (stuck[-1].id or 0) if len(stuck) == _PAGE else 0
        for one in stuck:
            await self._give_on(one)

    async def _give_on(self, one: Delegation) -> None:
        desk = self.desk
        try:
            chain = chain_of(one)
        except ValueError:
            # None of ours, and nobody takes it up.
            return
        could = one.among.split() or list(desk.authority.allowed)
        among = [name for name in could if not desk.authority.objection(desk.agent, name, chain)]
        among = list(dict.fromkeys((*among, one.agent)))
        ranked = await desk.router.rank(one.instruction, among)
        is_down = any(r.agent == one.agent and r.down for r in ranked)
        best = next((r for r in ranked if not r.down and r.agent != one.agent), None)
        if not is_down or best is None:
            return
        await self._to(one, best)

    async def _to(self, one: Delegation, best: Ranked) -> None:
        desk, now = self.desk, self.desk.clock()
        changed = {"agent": best.agent, "passed_to": "", "chosen": str(best)}

        async def reroute(unit: Unit) -> bool:
            row = await seal.own(unit, one.code, desk.agent, now)
            if row is None or row.agent != one.agent:
                return False
            anew = seal.resealed(row.model_copy(update=changed), desk.signer())
            return await delegating.reroute(unit, row, anew, now)

        if await desk.store.write(reroute):
            self.log.info("delegation.rerouted", code=one.code, was=one.agent, now=best.agent)
            desk.bells.owed(best.agent)
