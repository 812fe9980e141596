"""How what an agent has in hand comes to an end, and who hears of that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from bots.delegating.carrying import Carrying
from bots.delegating.desk import DelegationDesk
from bots.insist import insist
from storage import delegating, delegations
from storage.delegating import Outcome
from storage.delegation_tables import Delegation, DelegationState
from storage.unit import Unit


@dataclass(frozen=True)
class Ending:
    """Each goes on until the store has taken it, or it is cancelled."""

    desk: DelegationDesk
    carrying: Carrying
    log: FilteringBoundLogger

    async def settle(
        self, held: Delegation, outcome: Outcome, retry_s: float | None
    ) -> Outcome | None:
        """Write down what came of it, or put it back to be tried again in `retry_s` seconds; None
        where it has not ended by that.
        """
        now = self.desk.clock()

        async def settle(unit: Unit) -> Outcome | None:
            if retry_s is not None:
                until = now + timedelta(seconds=retry_s)
                why = outcome.error
                if await delegating.put_back(unit, held, why=why, not_before=until, now=now):
                    return None
            # What has begun to act is not tried again.
            return await self.carrying.finish(unit, held, outcome, now)

        ended = await self._close(held, settle)
        state = "put back or lost" if ended is None else str(ended.state)
        self.log.info(
            "delegation.over",
            code=held.code,
            state=state,
            why=outcome.error,
            trace_id=held.trace_id,
        )
        return ended

    async def stop(self, held: Delegation, why: str) -> None:
        """Its work was ended from outside: for this reason, or without one because the agent's
        process ends.
        """
        now = self.desk.clock()

        async def settle(unit: Unit) -> Outcome | None:
            row = await delegations.read(unit, held.id or 0)
            if row is None or row.claim != held.claim:
                return None
            if why or row.acted:
                error = why or "its agent was stopped after it had begun to act"
                outcome = Outcome(state=DelegationState.FAILED, error=error)
                return await self.carrying.finish(unit, held, outcome, now)
            stopped = "its agent was stopped"
            await delegating.put_back(
                unit, held, why=stopped, not_before=now, now=now, was_tried=False
            )
            return None

        await self._close(held, settle)

    def announce(self, held: Delegation, *, is_over: bool, speaker: str = "") -> None:
        """To who gave it, to who has to say it, and to who tells of what is over."""
        bells = self.desk.bells
        for concerned in {held.sender, speaker} - {""}:
            bells.changed(concerned, held.code, only_tells=concerned != speaker)
        if is_over:
            bells.ended()

    async def _close(
        self, held: Delegation, settle: Callable[[Unit], Awaitable[Outcome | None]]
    ) -> Outcome | None:
        ended = await insist(self.desk.store, settle, self.log)
        self.carrying.forget(held)
        speaker = ended.deliver_by if ended else ""
        self.announce(held, is_over=ended is not None, speaker=speaker)
        return ended
