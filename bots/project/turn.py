"""What a turn can write into the project log: the tools' way to the desk."""

from __future__ import annotations

from dataclasses import dataclass

from bots.answering.matter import Matter
from bots.project.desk import Origin, ProjectDesk
from brain.errors import Refused, ToolError
from storage.project_tables import EntryKind, ProjectStatus


@dataclass(frozen=True)
class TurnProject:
    """As `brain.tools.context.Project`."""

    desk: ProjectDesk
    matter: Matter

    async def set_status(self, status: ProjectStatus, sentence: str) -> None:
        try:
            await self.desk.set_status(status, sentence, self._origin())
        except Refused as error:
            raise ToolError(f"the project's status stays as it is: {error.reason}") from error

    async def write_down(self, kind: EntryKind, words: str) -> None:
        await self.desk.write_down(kind, words, self._origin())

    def _origin(self) -> Origin:
        matter = self.matter
        # What was ordered through a door was said nowhere.
        asked_somewhere = not matter.may_reach_out
        return Origin(
            by=f"agent:{self.desk.agent}",
            network=matter.network if asked_somewhere else "",
            channel=matter.channel if asked_somewhere else "",
            trace_id=matter.trace_id,
        )
