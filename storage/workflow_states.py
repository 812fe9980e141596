"""The states of a workflow's run, and of each of its steps. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """`waiting → running → gated → done | failed | skipped | cancelled`."""

    WAITING = "waiting"
    RUNNING = "running"
    #: people have to decide
    GATED = "gated"
    DONE = "done"
    FAILED = "failed"
    #: its condition did not hold, or what it needs was skipped
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


FINAL: Final = frozenset({State.DONE, State.FAILED, State.SKIPPED, State.CANCELLED})
