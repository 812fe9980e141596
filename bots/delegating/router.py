"""Who should do this: what swarm.toml and the store say of the agents, put before the rules of
`brain.delegation.routing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bots.settings import Settings
from brain.delegation.routing import Candidate, Ranked, rank, words_of
from brain.tools.context import AgentCard
from brain.wallet.budgets import Window, budgets_of
from storage import agents, delegations, spending
from storage.latch import Latch
from storage.spending import Slice
from storage.store import Store
from storage.tables import Agent, AgentState
from storage.unit import Unit

#: how far back work counts, and how much of it
_MEMORY: Final = timedelta(days=7)
_WORK: Final = 300
_ABLE: Final = (AgentState.READY, AgentState.DEGRADED, AgentState.STARTING)


@dataclass(frozen=True)
class _Known:
    agents: list[Agent]
    records: dict[str, delegations.Record]
    #: agent and instruction of what was done
    done: list[tuple[str, str]]
    #: 0 to 1
    budgets_left: dict[str, float]


@dataclass(frozen=True)
class Router:
    settings: Settings
    store: Store
    cards: Callable[[], Sequence[AgentCard]]
    #: those of these agents that are killed
    killed: Callable[[Iterable[str]], Mapping[str, Latch]]
    clock: Callable[[], datetime]

    async def rank(self, instruction: str, among: Collection[str]) -> list[Ranked]:
        """These agents, best first, those that are down last; raises `StorageError`."""
        since = self.clock() - _MEMORY

        async def known(unit: Unit) -> _Known:
            return _Known(
                await agents.roster(unit),
                await delegations.records(unit, since),
                await delegations.done_words(unit, since, _WORK),
                await self._budgets_left(unit, among),
            )

        facts = await self.store.read(known)
        learned: dict[str, Counter[str]] = {}
        for agent, words in facts.done:
            learned.setdefault(agent, Counter()).update(words_of(words))
        rows = {row.name: row for row in facts.agents}
        described = {card.name: card.description for card in self.cards()}
        unknown = delegations.Record(agent="")
        killed = self.killed(among)
        candidates = [
            replace(
                self._candidate(name, facts.records.get(name, unknown)),
                down=_down(rows.get(name), killed.get(name)),
                description=described.get(name, ""),
                budget_left=facts.budgets_left.get(name),
                learned=learned.get(name, {}),
            )
            for name in among
        ]
        return rank(instruction, candidates)

    async def down(self) -> set[str]:
        """Agents that cannot work now; raises `StorageError`."""
        rows = {row.name: row for row in await self.store.read(agents.roster)}
        names = [agent.name for agent in self.settings.agents]
        killed = self.killed(names)
        return {name for name in names if _down(rows.get(name), killed.get(name))}

    async def _budgets_left(self, unit: Unit, among: Collection[str]) -> dict[str, float]:
        """Which part is left of the budget that comes to its end first, for those that have one."""
        now = self.clock()
        windows = [
            (name, budget)
            for name in among
            if self.settings.models_of(name)
            for budget in budgets_of(name, self.settings.agent(name).budget, self.settings.budget)
            if budget.window is not Window.TASK and budget.nusd
        ]
        if not windows:
            return {}
        slices = [Slice(agent=b.agent, since=b.window.begins(now)) for _, b in windows]
        left: dict[str, float] = {}
        for (name, budget), spent in zip(windows, await spending.spent(unit, slices), strict=True):
            share = max(0.0, 1 - spent.nusd / budget.nusd)
            left[name] = min(share, left.get(name, 1.0))
        return left

    def _candidate(self, name: str, record: delegations.Record) -> Candidate:
        agent = self.settings.agent(name)
        return Candidate(
            name=name,
            capabilities=agent.capabilities,
            role=agent.role,
            channels=self.settings.channels_of(agent),
            waiting=record.waiting,
            done=record.done,
            failed=record.failed,
            mean_cost_nusd=record.cost_nusd // record.done if record.done else 0,
        )


def _down(row: Agent | None, latch: Latch | None) -> str:
    """Why an agent cannot work now; empty when it can."""
    if latch is not None:
        return latch.told
    if row is None or row.state not in _ABLE:
        return f"is {row.state if row else 'unknown'}"
    return ""
