"""Which runs need no look: nothing has come of what they wait for, and nothing is due.

A run may wait for people for weeks. What it waits for is remembered from the last look, and asked
after for all runs at once, so that many waiting runs cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Final

from bots.workflows.scene import Scene, gated
from bots.workflows.work import Gates, Work
from brain.workflows.progress import next_moment, to_work_on
from storage.store import Store
from storage.workflow_tables import WorkflowRun

#: of so many is asked at a time
_AT_ONCE: Final = 500


class Stillness:
    """Of one driver: what it remembers holds as long as it alone drives."""

    def __init__(self, store: Store, work: Work, gates: Gates) -> None:
        self._store = store
        self._work = work
        self._gates = gates
        self._epoch = 0
        self._scenes: dict[str, Scene] = {}

    def keep(self, scene: Scene) -> None:
        """Everything was done about this run that can be done now."""
        self._scenes[scene.run.code] = scene

    async def stirring(
        self, runs: Sequence[WorkflowRun], epoch: int, now: datetime
    ) -> list[WorkflowRun]:
        """Those of `runs`, all that are open, that need a look; `epoch` is that of the lease.

        Raises `StorageError`.
        """
        if epoch != self._epoch:
            # Somebody else may have driven them meanwhile.
            self._scenes.clear()
            self._epoch = epoch
        codes = {run.code for run in runs}
        self._scenes = {code: scene for code, scene in self._scenes.items() if code in codes}
        still = {r.code for r in runs if self._is_as_it_was(r) and self._waits(r.code, now)}
        news = await self._news(self._scenes[code] for code in still)
        return [
            run
            for run in runs
            if run.code not in still or not news.isdisjoint(_references(self._scenes[run.code]))
        ]

    def moments(self) -> list[datetime]:
        """When time alone brings something, for each run that waits."""
        found = (next_moment(scene.progress) for scene in self._scenes.values())
        return [moment for moment in found if moment is not None]

    def _is_as_it_was(self, run: WorkflowRun) -> bool:
        scene = self._scenes.get(run.code)
        return scene is not None and scene.run == run

    def _waits(self, code: str, now: datetime) -> bool:
        """Everything is with somebody, and nothing is due."""
        scene = self._scenes[code]
        due = next_moment(scene.progress)
        return (due is None or due > now) and all(_references(scene))

    async def _news(self, scenes: Iterable[Scene]) -> set[str]:
        """Of all that is waited for, what something has come of."""
        references = iter([one for scene in scenes for one in _references(scene)])
        news: set[str] = set()
        while some := list(islice(references, _AT_ONCE)):
            news |= set(await self._work.outcomes(some))
            news |= set(await self._store.read(partial(self._gates.verdicts, references=some)))
        return news


def _references(scene: Scene) -> Iterator[str]:
    """What each task that is with somebody is known by there; empty where nobody has it."""
    for key in to_work_on(scene.progress):
        yield scene.rows[key].reference
    for row in gated(scene):
        yield row.reference
