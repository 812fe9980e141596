"""Doing one delegation: thinking about it, or passing it on to who may do it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from bots.answering.thinker import Exchanged, Thinker
from bots.delegating import seal
from bots.delegating.desk import DelegationDesk
from bots.delegating.matter import DelegationClaim, DelegationMatter
from bots.delegating.order import CASE, MINUTES, NotGiven, Order
from bots.messages import Target
from brain.delegation.retrying import wait_s
from brain.errors import ModelFailed, PromptMissing, Refused
from brain.guard import UNRECORDED
from brain.prompting.silence import is_silence
from storage import delegating, delegations
from storage.delegating import Outcome
from storage.delegation_tables import Delegation, DelegationState, Deliver
from storage.delegations import chain_of
from storage.errors import LeaseLost, StorageError
from storage.unit import Unit

#: characters of a result that are kept
_LONGEST_RESULT: Final = 16_000
#: result of who answers with silence
NOTHING_TO_SAY: Final = "Done; there is nothing to say about it."


@dataclass
class Carrying:
    thinker: Thinker
    desk: DelegationDesk
    #: network on which the agent is at home, for what was asked nowhere
    home: str
    #: takes another agent's case for people, and says what came of that
    take_case: Callable[[Delegation], Awaitable[Outcome]]
    #: writes minutes that were asked for
    write_minutes: Callable[[Delegation], Awaitable[Outcome]]
    #: what was thought about each, until it is remembered with the outcome
    _exchanged: dict[int, tuple[DelegationMatter, Exchanged]] = field(default_factory=dict)

    async def objection(self, unit: Unit, held: Delegation, now: datetime) -> str:
        """Why this row is not to be done here: authority is checked here too, where the work would
        be done, and its signature; empty when it is.
        """
        agent = self.desk.agent
        try:
            chain = chain_of(held)
            for target in held.deliver_to.split():
                Target.parse(target)
        except ValueError as error:
            # Whoever wrote the row was no desk of ours.
            return f"it cannot be read: {error}"
        if chain or held.sender != agent:
            if not chain or chain[-1] != held.sender:
                return f"it did not come through {held.sender}'s hands"
            why = self.desk.authority.objection(held.sender, agent, chain)
            if why:
                return why
        parent = await delegations.read(unit, held.parent_id) if held.parent_id else None
        if parent is not None and parent.state == DelegationState.CANCELLED:
            return f"what it was made for, {parent.code}, was cancelled"
        return await seal.objection(unit, held, now)

    async def carry(
        self, held: Delegation, wait_aside: Callable[[bool], None]
    ) -> tuple[Outcome, float | None]:
        """How it ends, and in how many seconds it is tried again instead, if it is.

        `wait_aside` is told when it only waits for somebody else, and when that is over. Raises
        `TimeoutError` where that one did not come to an end in time.
        """
        try:
            if held.passed_to:
                outcome = await self._pass_on(held, wait_aside)
            elif held.kind == CASE:
                outcome = await self.take_case(held)
            elif held.kind == MINUTES:
                outcome = await self.write_minutes(held)
            else:
                outcome = await self._think(held)
        except (ModelFailed, StorageError, Refused) as error:
            return self._failed(held, error)
        except (NotGiven, PromptMissing) as error:
            return Outcome(state=DelegationState.FAILED, error=str(error)), None
        return outcome, None

    async def finish(
        self, unit: Unit, held: Delegation, outcome: Outcome, now: datetime
    ) -> Outcome | None:
        """The one outcome, with the turn that led to it, in the caller's transaction; None when the
        claim was lost.
        """
        spoken = self._with_speaker(held, outcome)
        if not await delegating.finish(unit, held, spoken, now):
            # Where it is said may have been decided while it was worked on.
            row = await delegations.read(unit, held.id or 0, to_change=True)
            if row is None or row.claim != held.claim:
                return None
            spoken = self._with_speaker(row, outcome)
            if not await delegating.finish(unit, row, spoken, now):
                return None
        thought = self._exchanged.get(held.id or 0)
        if thought is not None:
            await self.thinker.remember(unit, *thought)
        return spoken

    def forget(self, held: Delegation) -> None:
        """It is over, one way or the other."""
        self._exchanged.pop(held.id or 0, None)

    async def _think(self, held: Delegation) -> Outcome:
        matter = DelegationMatter(held, self.home)
        claim = DelegationClaim(self.desk.store, held, self.desk.clock)
        exchanged = await self.thinker.think(matter, held.instruction, claim)
        self._exchanged[held.id or 0] = (matter, exchanged)
        answer = exchanged.answer
        text = "" if is_silence(answer.text) else answer.text[:_LONGEST_RESULT]
        return Outcome(
            state=DelegationState.DONE,
            result=text or NOTHING_TO_SAY,
            model=answer.model,
            cost_nusd=answer.cost_nusd,
        )

    async def _pass_on(self, held: Delegation, wait_aside: Callable[[bool], None]) -> Outcome:
        """Give it to who may do it, and take over what comes of it."""
        left = held.expires_at - self.desk.clock()
        order = Order(
            to=held.passed_to,
            instruction=held.instruction,
            asked_by=f"agent:{held.agent}",
            kind=held.kind,
            priority=held.priority,
            deadline=max(left, timedelta(seconds=1)),
            # Whoever takes this up after us finds the same child.
            idempotency_key=f"passed:{held.code}",
            network=held.network,
            channel=held.channel,
            parent_id=held.id,
            trace_id=held.trace_id,
        )
        child = await self.desk.give(order)
        wait_aside(True)
        try:
            ended = await self.desk.wait(child.code, left.total_seconds())
        finally:
            wait_aside(False)
        if ended.state in delegations.OPEN:
            raise TimeoutError
        return Outcome(
            state=DelegationState(ended.state),
            result=ended.result,
            error=ended.error,
            model=ended.model,
            cost_nusd=0,
        )

    def broken(self, held: Delegation, error: Exception) -> tuple[Outcome, float | None]:
        """As `carry`, for a fault that nobody foresaw: who asked hears no more than its kind."""
        why = f"it broke me: {type(error).__name__}"
        outcome = Outcome(state=DelegationState.FAILED, error=why)
        return outcome, wait_s(held.claim) if held.tries > 0 else None

    def _failed(self, held: Delegation, error: Exception) -> tuple[Outcome, float | None]:
        outcome = Outcome(state=DelegationState.FAILED, error=str(error))
        again = isinstance(error, ModelFailed | StorageError) or (
            isinstance(error, Refused) and error.policy == UNRECORDED
        )
        if isinstance(error, LeaseLost) or not again or held.tries <= 0:
            return outcome, None
        return outcome, wait_s(held.claim)

    def _with_speaker(self, held: Delegation, outcome: Outcome) -> Outcome:
        if held.deliver != Deliver.WANTED:
            return outcome
        if outcome.state is not DelegationState.DONE and not held.channel:
            # Who asked by a hook reads the error; a channel that nobody asked in is spared it.
            return _unsaid(outcome, "there is no result to say")
        places = held.deliver_to.split()
        there, first = self.desk.destinations, places[0]
        if mute := next(filter(there.is_mute, places), ""):
            # Looked at here too: what is signed may come from a desk that did not.
            return _unsaid(outcome, f"{mute} is only listened to: nothing is said there")
        speaker = there.speaker_for(first)
        if not speaker:
            return _unsaid(outcome, f"no agent can say it in {first}")
        return replace(outcome, deliver_by=speaker)


def _unsaid(outcome: Outcome, why: str) -> Outcome:
    return replace(outcome, unsaid=why)
