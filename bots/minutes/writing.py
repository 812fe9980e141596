"""Writing minutes: a plain list out of the record, or a model's own words about that list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bots.answering.thinker import Thinker
from bots.minutes import composing
from bots.minutes.composing import Facts
from bots.minutes.schedule import Called
from brain.errors import ModelFailed, PromptMissing
from brain.model import Completion, Occasion
from brain.project import may_be_quoted
from storage import agents, happenings, project_log, requests
from storage.delegating import Outcome
from storage.delegation_tables import Delegation, DelegationState
from storage.unit import Unit

#: what kind of minutes, the plain list, the occasion → what a model wrote; raises `ModelFailed`,
#: `PromptMissing`
InWords = Callable[[str, str, Occasion], Awaitable[Completion]]


@dataclass(frozen=True)
class Writing:
    """One agent's; `in_words` is None where it has no model, or one whose judgement is weak."""

    thinker: Thinker
    in_words: InWords | None

    async def write(self, held: Delegation) -> Outcome:
        """The minutes that were asked for. Raises `StorageError`."""
        called = Called.read(held.instruction)
        if called is None:
            error = "these are no minutes that anybody could write"
            return Outcome(state=DelegationState.FAILED, error=error)
        facts = await self.thinker.store.read(lambda unit: self._facts(unit, called))
        plain = self.thinker.clean(composing.plain(called, facts))
        completion = await self._asked(called, plain, held)
        words = self.thinker.clean(composing.in_words(called, completion.text))
        return Outcome(
            state=DelegationState.DONE,
            result=words or plain,
            model=completion.model,
            cost_nusd=completion.cost_nusd,
        )

    async def _facts(self, unit: Unit, called: Called) -> Facts:
        names = {agent.name for agent in self.thinker.settings.agents}
        entries = await project_log.since(unit, called.begin, called.end)
        return Facts(
            days=await happenings.days(unit, called.begin, called.end),
            results=await project_log.results(unit, called.begin, called.end),
            roster=[agent for agent in await agents.roster(unit) if agent.name in names],
            standing=await project_log.standing(unit),
            entries=[(entry, may_be_quoted(entry, self.thinker.is_open)) for entry in entries],
            waiting=await requests.pending(unit),
        )

    async def _asked(self, called: Called, plain: str, held: Delegation) -> Completion:
        """What the model wrote; nothing where there is none, or it cannot now."""
        if self.in_words is None:
            return Completion()
        occasion = Occasion(
            agent=self.thinker.agent,
            session=f"delegation:{held.code}",
            task=f"delegation:{held.root_id}",
            trace_id=held.trace_id,
        )
        try:
            async with asyncio.timeout(self.thinker.settings.limits.turn_timeout_s):
                return await self.in_words(called.kind, plain, occasion)
        except (ModelFailed, PromptMissing, TimeoutError):
            return Completion()
