"""What a turn can hand over: the tools' way to the desk, bound to what the turn is about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bots.answering.matter import Matter
from bots.delegating.desk import DelegationDesk
from bots.delegating.order import AUTO, NotGiven, Order
from bots.delegating.waiting import is_settled
from bots.messages import Target
from brain.errors import ToolError
from storage import delegating
from storage.delegation_tables import Delegation, DelegationState
from storage.unit import Unit

_PROGRESS: Final = 500
_USUAL_DEADLINE: Final = timedelta(minutes=30)


@dataclass(frozen=True)
class TurnHanding:
    """As `brain.tools.context.Handing`."""

    desk: DelegationDesk
    matter: Matter

    async def give(self, agent: str, instruction: str, wait_s: float) -> str:
        given = await self._given(agent, instruction)
        ended = await self._waited(given, wait_s)
        if is_settled(ended):
            return told(ended)
        later = await self._say_later(ended)
        if is_settled(later):
            return told(later)
        where = f"; what comes of it is said in {later.deliver_to}" if later.deliver_to else ""
        return f"{later.code}: {later.agent} is at it{where}."

    async def ask(self, agent: str, question: str, wait_s: float) -> str:
        if agent == AUTO:
            raise ToolError("name the agent that you want to ask")
        given = await self._given(agent, question)
        ended = await self._waited(given, wait_s)
        if not is_settled(ended):
            await self.desk.cancel(ended.code, self.desk.agent, "nobody waits for it any more")
            return f"{agent} did not answer within {wait_s:.0f} s."
        return told(ended)

    async def report(self, words: str) -> str:
        held, now = self.matter.delegation, self.desk.clock()
        if held is None:
            raise ToolError("report: nobody handed you this; your answer is all that is wanted")
        said = self.desk.clean(" ".join(words.split()))[:_PROGRESS]

        async def note(unit: Unit) -> bool:
            return await delegating.note_progress(unit, held, said, now)

        if not await self.desk.store.write(note):
            raise ToolError(f"report: {held.code} is not yours any more")
        self.desk.bells.changed(held.sender, held.code)
        return "noted"

    async def cancel(self, code: str, why: str) -> str:
        found = await self.desk.read(code)
        if found is None or found.sender != self.desk.agent:
            raise ToolError(f"cancel: you handed over nothing called {code}")
        ended = await self.desk.cancel(code, self.desk.agent, why)
        return f"{code} is {ended.state if ended else 'gone'}"

    async def _given(self, agent: str, instruction: str) -> Delegation:
        matter = self.matter
        parent = matter.delegation
        words = hashlib.sha256(f"{agent}\n{instruction}".encode()).hexdigest()[:16]
        order = Order(
            to=agent,
            instruction=instruction,
            asked_by=f"agent:{self.desk.agent}",
            may_name_place=False,
            deadline=_USUAL_DEADLINE,
            # The same call in the same turn is the same work, whichever process makes it; a tree
            # has one trace and one task, and what else is done in it is another turn.
            idempotency_key=f"{parent.code if parent else matter.task}:{matter.trace_id}:{words}",
            network=matter.network if not matter.may_reach_out else "",
            channel=matter.channel if not matter.may_reach_out else "",
            parent_id=parent.id if parent else None,
            trace_id=matter.trace_id,
        )
        try:
            return await self.desk.give(order)
        except NotGiven as error:
            raise ToolError(f"not handed over: {error}") from error

    async def _waited(self, given: Delegation, wait_s: float) -> Delegation:
        return await self.desk.wait(given.code, wait_s)

    async def _say_later(self, given: Delegation) -> Delegation:
        matter = self.matter
        if matter.delegation is not None or matter.channel.startswith("nick:"):
            return given
        place = Target.channel(matter.network, matter.channel)
        return await self.desk.say_later(given.code, str(place)) or given


def told(ended: Delegation) -> str:
    """What came of it, for who gave it."""
    if ended.state == DelegationState.DONE:
        return f"{ended.passed_to or ended.agent}: {ended.result}"
    return f"{ended.agent}: {ended.state}: {ended.error}"
