"""A process that drives workflows until it is killed; its doers are files in a folder, which live
on. Arguments: the store's URL, the folder, its holder's name.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bots.workflows.driver import Driver
from bots.workflows.gates import RequestedGates
from bots.workflows.work import Assignment, Handed
from brain.workflows.progress import Outcome
from storage.requests import Approvers
from storage.store import Store
from storage.workflow_states import State


class Files:
    """`bots.workflows.work.Work`: whoever is asked has done it at once, and once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _file(self, key: str) -> Path:
        return self._folder / key.replace(":", "_")

    async def ask(self, assignment: Assignment) -> Handed:
        # The effect: another key would be another one.
        self._file(assignment.key).touch()
        return Handed(assignment.key, "files")

    async def find(self, assignment: Assignment) -> Handed | None:
        found = self._file(assignment.key).exists()
        return Handed(assignment.key, "files") if found else None

    async def outcomes(self, references: Sequence[str]) -> dict[str, Outcome]:
        done = Outcome(state=State.DONE, result="fine")
        return {key: done for key in references if self._file(key).exists()}

    async def cancel(self, reference: str, why: str) -> None: ...


async def main(url: str, folder: str, holder: str) -> None:
    store = await Store.open(url)
    gates = RequestedGates(
        captain="captain",
        channel="#x",
        operators=Approvers(),
        redact=str,
        clock=lambda: datetime.now(UTC),
        changed=lambda: None,
    )
    driver = Driver(
        store,
        Files(Path(folder)),
        gates,
        holder=holder,
        latch=lambda: None,
        clock=lambda: datetime.now(UTC),
        log=structlog.get_logger(),
    )
    print("driving", flush=True)
    await driver.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
