"""What a turn can ask of people: the way to the captain's desk, and the wait for an answer."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Final

from bots.answering.matter import Matter
from bots.control.request_words import ending_of
from bots.control.requests import CannotAsk
from bots.delegating.desk import DelegationDesk
from bots.delegating.order import CASE, NotGiven, Order
from bots.delegating.waiting import is_settled
from bots.messages import Target, channel_of
from bots.people.desk import CaptainsDesk
from brain.cases import BadCase, Case, as_text
from brain.errors import ToolError
from storage import requests
from storage.delegation_tables import Delegation, DelegationState
from storage.request import Request

#: what waits for an answer: a delegation, or talk in a place
DELEGATION: Final = "delegation:"
_LOOK_EVERY_S: Final = 1.0
#: the captain takes a case at once, if it is there
_TAKEN_WITHIN_S: Final = 15.0
_DEADLINE: Final = timedelta(hours=12)


@dataclass(frozen=True)
class TurnPeople:
    """As `brain.tools.context.AskPeople`."""

    giving: DelegationDesk
    desk: CaptainsDesk
    monotonic: Callable[[], float]
    matter: Matter

    async def __call__(self, case: Case) -> str:
        case = replace(
            case,
            title=self._clean(case.title),
            reason=self._clean(case.reason),
            attempt=self._clean(case.attempt),
            sources=tuple(map(self._clean, case.sources)),
            reference=reference_of(self.matter),
        )
        if self.desk.agent == self.giving.captain:
            return await self._awaited(await self._asked(case), case.patience_s)
        given = await self._handed(case)
        if not is_settled(given):
            return f"{given.code}: {self.giving.captain} has to ask people; you hear of the answer."
        if given.state != DelegationState.DONE:
            raise ToolError(f"people are not asked: {given.error}")
        code = given.result.partition("\n")[0]
        [asked] = await self.giving.store.read(lambda unit: requests.by_codes(unit, [code]))
        return await self._awaited(asked, case.patience_s)

    def _clean(self, text: str) -> str:
        return self.giving.clean(text)

    async def _asked(self, case: Case) -> Request:
        try:
            return await self.desk.ask(case, self.desk.agent, self.matter.trace_id)
        except (CannotAsk, BadCase) as error:
            raise ToolError(f"people are not asked: {error}") from error

    async def _handed(self, case: Case) -> Delegation:
        """The case in the captain's hands. It is no part of the work at hand: who works for the
        captain may ask it for this.
        """
        text = as_text(case)
        words = hashlib.sha256(text.encode()).hexdigest()[:16]
        order = Order(
            to=self.giving.captain,
            kind=CASE,
            instruction=text,
            asked_by=f"agent:{self.desk.agent}",
            may_name_place=False,
            deadline=_DEADLINE,
            # The same call in the same turn is the same case, whichever process makes it.
            idempotency_key=f"{self.matter.task}:{self.matter.trace_id}:{words}",
            trace_id=self.matter.trace_id,
        )
        try:
            given = await self.giving.give(order)
            return await self.giving.wait(given.code, _TAKEN_WITHIN_S)
        except NotGiven as error:
            raise ToolError(f"people are not asked: {error}") from error

    async def _awaited(self, asked: Request, patience_s: float) -> str:
        """The answer if it comes in time, and that it has been told; else the code."""
        until = self.monotonic() + patience_s
        store = self.giving.store
        while not asked.is_over and (left_s := until - self.monotonic()) > 0:
            await asyncio.sleep(min(left_s, _LOOK_EVERY_S))
            [asked] = await store.read(partial(requests.by_codes, codes=[asked.code]))
        if asked.is_over:
            seen = partial(requests.note_told, request_id=asked.id, state=asked.state)
            await store.write(seen)
            return ending_of(asked)
        return f"{ending_of(asked)} The answer comes to you as work; end this turn without it."


def reference_of(matter: Matter) -> str:
    """What waits for the answer: ``delegation:D-7k2m9qxa``; ``irc:#lobby`` or ``discord:user:45``
    for talk.
    """
    if matter.delegation is not None:
        return f"{DELEGATION}{matter.delegation.code}"
    if matter.channel.startswith("nick:"):
        return str(Target.person(matter.network, matter.sender, matter.account))
    return str(Target.channel(matter.network, channel_of(matter.channel)))
