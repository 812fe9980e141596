"""The workflows of `prompts/workflows`, read for this swarm."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Final

from bots.settings import Settings
from brain.workflows.checking import Known
from brain.workflows.definition import Workflow
from brain.workflows.reading import MOST_CHARACTERS, WorkflowUnreadable, read

_SUFFIX: Final = ".yaml"


class NoSuchWorkflow(Exception):
    """No file is called so, or it cannot be opened; the text names the nearest one."""


class Library:
    """The files of one folder; each is read anew, so an edit counts at once for runs to come."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self.known = known_of(settings)

    def names(self) -> list[str]:
        """Names of all files, readable or not, sorted."""
        return sorted(path.stem for path in self._folder.glob(f"*{_SUFFIX}"))

    def source(self, name: str) -> str:
        """The text of a file; raises `NoSuchWorkflow`."""
        if name not in self.names():
            near = difflib.get_close_matches(name, self.names(), 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.names())}"
            raise NoSuchWorkflow(f"There is no workflow {name!r}; {hint}")
        try:
            with (self._folder / f"{name}{_SUFFIX}").open(encoding="utf-8") as file:
                return file.read(MOST_CHARACTERS + 1)
        except (OSError, UnicodeDecodeError) as error:
            raise NoSuchWorkflow(f"{name}{_SUFFIX} cannot be read: {error}") from error

    def read(self, name: str) -> Workflow:
        """Raises `NoSuchWorkflow`, and `WorkflowUnreadable` with every mistake in the file."""
        return self.opened(name)[0]

    def opened(self, name: str) -> tuple[Workflow, str]:
        """A workflow and the very text that it was read from; raises as `read`."""
        source = self.source(name)
        return self.parsed(source, f"{name}{_SUFFIX}"), source

    def parsed(self, source: str, file: str) -> Workflow:
        """The workflow that a text is, for this swarm; raises `WorkflowUnreadable`."""
        return read(source, file, self.known)

    def mistakes(self, name: str) -> str:
        """What is wrong with a file, one mistake a line; empty when nothing is."""
        try:
            self.read(name)
        except (NoSuchWorkflow, WorkflowUnreadable) as error:
            return str(error)
        return ""


def known_of(settings: Settings) -> Known:
    """The names that a workflow may use in this swarm."""
    return Known(
        agents=[agent.name for agent in settings.agents],
        capabilities={word for agent in settings.agents for word in agent.capabilities},
        channels={name for agent in settings.agents for name in settings.channels_of(agent)},
    )
