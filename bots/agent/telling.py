"""What an agent wants people to know goes into its audit, and is an event where it has a topic; the
captain tells of it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from bots.clock import utc_now
from bots.insist import insist
from storage import audit, events
from storage.happenings import WARNED
from storage.store import Store
from storage.topics import TOPICS
from storage.unit import Unit


@dataclass(frozen=True)
class Telling:
    """Call it and go on: the entry is written as soon as the store takes it."""

    store: Store
    agent: str
    log: FilteringBoundLogger
    #: asyncio holds its tasks weakly
    _writing: set[asyncio.Task[str]] = field(default_factory=set)

    def __call__(self, verb: str, target: str, sentence: str) -> None:
        self.log.warning("warned", verb=verb, target=target, says=sentence)
        now = utc_now()

        async def entry(unit: Unit) -> str:
            topic = target.partition(":")[0]
            if topic in TOPICS:
                await events.record(unit, topic=topic, agent=self.agent, text=sentence, at=now)
            return await audit.append(
                unit,
                agent=self.agent,
                at=now,
                verb=verb,
                target=target,
                outcome=WARNED,
                reason=sentence,
                details={},
                trace_id="",
            )

        task = asyncio.create_task(insist(self.store, entry, self.log))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
