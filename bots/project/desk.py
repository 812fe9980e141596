"""The project's desk: the one place where lines are written into its log by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from brain.guard import Guard
from brain.project import OPERATOR, TARGET, VERB
from storage import project_log
from storage.acts import Act, Permit
from storage.project_tables import EntryKind, ProjectEntry, ProjectStatus
from storage.store import Store
from storage.unit import Unit


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Who writes, for whom, and where that was asked (as the record names it)."""

    by: str
    network: str
    channel: str
    trace_id: str
    #: the operator who ordered it, as the gate vouched for him; empty: nobody did
    operator: str = ""


@dataclass(frozen=True, kw_only=True)
class ProjectDesk:
    """One agent's. Every agent has one, and the guard lets the captain's alone set the status."""

    agent: str
    store: Store
    guard: Guard
    #: hides secrets in what is kept
    clean: Callable[[str], str]
    clock: Callable[[], datetime]

    async def set_status(self, status: ProjectStatus, sentence: str, origin: Origin) -> None:
        """From now on the project stands so, and everybody may read it, wherever it was ordered.
        Raises `Refused` and `StorageError`.
        """
        everywhere = replace(origin, network="", channel="")
        entry = self._entry(EntryKind.STATUS, sentence, everywhere)
        entry.state = str(status)
        act = Act(
            agent=self.agent,
            verb=VERB,
            target=TARGET,
            reason=f"{origin.by}: {status}",
            trace_id=origin.trace_id,
            details={"status": str(status)} | self._operator(origin),
        )

        async def write(unit: Unit, permit: Permit) -> None:
            permit.check(VERB, TARGET, now_s=permit.good_until_s)
            await project_log.add(unit, entry)

        await self.guard.carry_out(act, write)

    async def write_down(self, kind: EntryKind, words: str, origin: Origin) -> None:
        """A decision, or a note. Raises `StorageError`."""
        entry = self._entry(kind, words, origin)
        await self.store.write(lambda unit: project_log.add(unit, entry))

    def _operator(self, origin: Origin) -> dict[str, str]:
        return {OPERATOR: origin.operator} if origin.operator else {}

    def _entry(self, kind: EntryKind, words: str, origin: Origin) -> ProjectEntry:
        return ProjectEntry(
            at=self.clock(),
            agent=self.agent,
            by=origin.by,
            kind=kind,
            text=self.clean(words),
            network=origin.network,
            channel=origin.channel,
            trace_id=origin.trace_id,
        )
