"""The captain's desk: the one place where cases become questions to people."""

from __future__ import annotations

from dataclasses import dataclass

from bots.control.request_words import ending_of
from bots.control.requests import CannotAsk, Question, Requests
from brain.cases import BadCase, Case, checked, from_text
from brain.guard import Guard
from brain.people import VERB, target_of
from storage.acts import Act, Permit
from storage.delegating import Outcome
from storage.delegation_tables import Delegation, DelegationState
from storage.delegations import chain_of
from storage.request import Request
from storage.unit import Unit


@dataclass(frozen=True, kw_only=True)
class CaptainsDesk:
    """Makes the rows. Every agent has one, and the guard lets the captain's alone do it."""

    agent: str
    requests: Requests
    guard: Guard

    async def ask(self, case: Case, asked_by: str, trace_id: str) -> Request:
        """Have people asked for what the agent `asked_by` wants.

        Raises `CannotAsk`, `BadCase`, `Refused` and `StorageError`.
        """
        question = Question(
            kind=case.kind,
            subject=case.title,
            title=case.title,
            asked_by=asked_by,
            case=checked(case, self.requests.clock()),
            waiter=asked_by,
            trace_id=trace_id,
        )
        act = Act(
            agent=self.agent,
            verb=VERB,
            target=target_of(case.kind),
            reason=f"{asked_by} asked for it",
            trace_id=trace_id,
            details={
                "for": asked_by,
                "reference": case.reference,
                "cost_micros": case.cost.micros if case.cost else 0,
                "currency": case.currency,
            },
        )

        async def open_one(unit: Unit, permit: Permit) -> Request:
            permit.check(VERB, target_of(case.kind), now_s=permit.good_until_s)
            return await self.requests.ask(unit, question)

        asked = await self.guard.carry_out(act, open_one)
        self.requests.tell()
        return asked

    async def take(self, held: Delegation) -> Outcome:
        """Another agent's case, handed over as a delegation; the result is the request's code.

        Raises `Refused` and `StorageError`.
        """
        try:
            case = from_text(held.instruction, self.requests.clock())
            asked = await self.ask(case, (*chain_of(held), held.sender)[0], held.trace_id)
        except (BadCase, CannotAsk) as error:
            return Outcome(state=DelegationState.FAILED, error=str(error))
        return Outcome(state=DelegationState.DONE, result=f"{asked.code}\n{ending_of(asked)}")
