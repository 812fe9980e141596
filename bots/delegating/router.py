"""Who should do this: what swarm.toml and the store say of the agents, put before the rules of
`brain.delegation.routing`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bots.settings import Settings
from brain.delegation.routing import Candidate, Ranked, rank, words_of
from brain.tools.context import AgentCard
from storage import agents, delegations
from storage.latch import Latch
from storage.store import Store
from storage.tables import Agent, AgentState
from storage.unit import Unit

#: how far back work counts, and how much of it
_MEMORY: Final = timedelta(days=7)
_WORK: Final = 300
_ABLE: Final = (AgentState.READY, AgentState.DEGRADED, AgentState.STARTING)


@dataclass(frozen=True)
class Router:
    settings: Settings
    store: Store
    cards: Callable[[], Sequence[AgentCard]]
    latch: Callable[[str], Latch | None]
    clock: Callable[[], datetime]

    async def rank(self, instruction: str, among: Collection[str]) -> list[Ranked]:
        """These agents, best first, those that are down last; raises `StorageError`."""
        since = self.clock() - _MEMORY

        async def known(
            unit: Unit,
        ) -> tuple[list[Agent], dict[str, delegations.Record], list[tuple[str, str]]]:
            return (
                await agents.roster(unit),
                await delegations.records(unit, since),
                await delegations.done_words(unit, since, _WORK),
            )

        rows, records, done = await self.store.read(known)
        learned: dict[str, Counter[str]] = {}
        for agent, words in done:
            learned.setdefault(agent, Counter()).update(words_of(words))
        states = {row.name: row for row in rows}
        described = {card.name: card.description for card in self.cards()}
        candidates = [
            self._candidate(
                name,
                down=self._down(name, states.get(name)),
                description=described.get(name, ""),
                record=records.get(name, delegations.Record(agent=name)),
                learned=learned.get(name, Counter()),
            )
            for name in among
        ]
        return rank(instruction, candidates)

    def _candidate(
        self,
        name: str,
        *,
        down: str,
        description: str,
        record: delegations.Record,
        learned: Counter[str],
    ) -> Candidate:
        agent = self.settings.agent(name)
        return Candidate(
            name=name,
            capabilities=agent.capabilities,
            role=agent.role,
            description=description,
            channels=self.settings.channels_of(agent),
            down=down,
            waiting=record.waiting,
            done=record.done,
            failed=record.failed,
            mean_cost_nusd=record.cost_nusd // record.done if record.done else 0,
            learned=learned,
        )

    def _down(self, name: str, row: Agent | None) -> str:
        latch = self.latch(name)
        if latch is not None:
            return latch.told
        if row is None or row.state not in _ABLE:
            return f"is {row.state if row else 'unknown'}"
        return ""
