"""Runs that somebody starts or ends in a chat. What reads templates and YAML is loaded at need."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Final

from bots.messages import DISCORD
from bots.settings import Settings
from storage import workflows
from storage.store import Store
from storage.workflow_tables import WorkflowRun
from storage.workflows import NewRun

#: where runs are shown, unless a channel is named
BOARD: Final = "#task-board"
_INPUT: Final = re.compile(r"(?:^|\s)([a-z][a-z0-9_]*)=")


class CannotBegin(Exception):
    """The run is not begun; the text says why, to the one who wanted it."""


@dataclass(frozen=True)
class Beginnings:
    """Begins runs, and has them end; the captain's process drives them."""

    settings: Settings
    #: `prompts/workflows`
    folder: Path
    store: Store
    clock: Callable[[], datetime]
    #: called after every change, to have it driven soon
    watchers: list[Callable[[], None]] = field(default_factory=list)

    async def begin(
        self, name: str, words: str, *, by: str, key: str, trace_id: str
    ) -> WorkflowRun:
        """Begin the workflow of this name with inputs in `words`: ``topic=wireless days=3``.

        The same `key` of the same person is the same run. Raises `CannotBegin`, `StorageError`.
        """
        new = await asyncio.to_thread(self._prepared, name, words, by, key, trace_id)
        run, _ = await self.store.write(lambda unit: workflows.begin(unit, new, self.clock()))
        self.tell()
        return run

    async def end(self, code: str, by: str) -> WorkflowRun | None:
        """Somebody wants this run to end: it, None where there is none. Raises `StorageError`."""
        run = await self.store.write(
            lambda unit: workflows.ask_cancel(unit, code, by, self.clock())
        )
        self.tell()
        return run

    def tell(self) -> None:
        """Something changed: have it driven."""
        for watcher in self.watchers:
            watcher()

    def _prepared(self, name: str, words: str, by: str, key: str, trace_id: str) -> NewRun:
        # Agents that start nothing pay for no template and no YAML.
        prepare = import_module("bots.workflows.preparing").prepared
        new: NewRun = prepare(
            self.settings,
            self.folder,
            name,
            inputs_of(words),
            started_by=by,
            idempotency_key=key,
            board=board_of(self.settings, BOARD),
            trace_id=trace_id,
        )
        return new


def inputs_of(words: str) -> Mapping[str, str]:
    """``topic=wireless cards days=3`` as names and values; raises `CannotBegin`."""
    parts = _INPUT.split(words)
    if parts[0].strip():
        raise CannotBegin(f"I do not understand {parts[0].strip()!r}: write INPUT=VALUE")
    return {name: value.strip() for name, value in zip(parts[1::2], parts[2::2], strict=True)}


def board_of(settings: Settings, channel: str) -> str:
    """Typed address of the channel that shows a run; empty where the captain does not sit there."""
    if ":" in channel:
        return channel
    captain = settings.agent(settings.captain)
    there = {name.lower() for name in settings.channels_of(captain)}
    return f"{DISCORD}:{channel}" if channel.lower() in there else ""
