"""The work of workflows as delegations of the captain: each attempt is one, under its own key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bots.delegating.desk import DelegationDesk
from bots.delegating.order import (
    AUTO,
    LONGEST_DEADLINE,
    NobodyNow,
    NobodyOfThatName,
    NotAllowed,
    NotGiven,
    Order,
    Reused,
)
from bots.delegating.waiting import is_settled
from bots.settings import Settings
from bots.workflows.work import Assignment, Handed, NeverSo, NotNow
from brain.workflows.progress import Outcome
from storage import delegations
from storage.core import DELEGATION
from storage.delegation_tables import Delegation, DelegationState, Deliver
from storage.delegations import OPEN
from storage.workflow_states import State

#: a result whose delivery takes longer counts as not delivered
_DELIVERY: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class DelegatedWork:
    """`bots.workflows.work.Work` on the captain's desk."""

    desk: DelegationDesk
    settings: Settings
    clock: Callable[[], datetime]

    async def ask(self, assignment: Assignment) -> Handed:
        known = await self.find(assignment)
        if known is not None:
            return known
        order = Order(
            to=assignment.agent or AUTO,
            among=() if assignment.agent else self._able(assignment),
            instruction=assignment.instruction,
            asked_by=assignment.asked_by,
            deliver_to=assignment.post_to,
            # What others said may stand in it: no channel that it names is where the answer goes.
            may_name_place=False,
            deadline=min(timedelta(seconds=assignment.deadline_s), LONGEST_DEADLINE),
            idempotency_key=assignment.key,
            trace_id=assignment.trace_id,
        )
        try:
            given = await self.desk.give(order)
        except NobodyNow as error:
            raise NotNow(str(error)) from error
        except (NobodyOfThatName, NotAllowed, Reused) as error:
            raise NeverSo(str(error)) from error
        except NotGiven as error:
            raise NotNow(str(error)) from error
        return Handed(given.code, given.passed_to or given.agent)

    async def find(self, assignment: Assignment) -> Handed | None:
        found = await self.desk.store.read(
            lambda unit: delegations.by_key(unit, assignment.asked_by, assignment.key)
        )
        return None if found is None else Handed(found.code, found.passed_to or found.agent)

    async def outcomes(self, references: Sequence[str]) -> dict[str, Outcome]:
        asked = DELEGATION.c.code.in_(references)
        found = await self.desk.store.read(lambda unit: delegations.many(unit, asked))
        return {one.code: _outcome(one) for one in found if self._is_over(one)}

    async def cancel(self, reference: str, why: str) -> None:
        await self.desk.cancel(reference, "its workflow", why)

    def _able(self, assignment: Assignment) -> tuple[str, ...]:
        """Those that have the capability; raises `NeverSo` where nobody has."""
        able = [a.name for a in self.settings.agents if assignment.capability in a.capabilities]
        if not able:
            raise NeverSo(f"no agent can {assignment.capability}")
        return tuple(able)

    def _is_over(self, one: Delegation) -> bool:
        if one.state in OPEN:
            return False
        ended = one.finished_at or one.issued_at
        return is_settled(one) or ended < self.clock() - _DELIVERY


def _outcome(one: Delegation) -> Outcome:
    match one.state:
        case DelegationState.DONE if one.deliver in {Deliver.FAILED, Deliver.OWED}:
            why = one.delivered_proof or "it took too long"
            return Outcome(state=State.FAILED, error=f"its result was not said: {why}")
        case DelegationState.DONE:
            return Outcome(state=State.DONE, result=one.result)
        case DelegationState.CANCELLED:
            return Outcome(state=State.CANCELLED, error=one.error)
        case _:
            return Outcome(state=State.FAILED, error=one.error or f"it is {one.state}")
