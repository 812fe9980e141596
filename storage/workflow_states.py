"""The states of a workflow's run, and of each of its steps. Pure."""

from __future__ import annotations

from collections.abc import Mapping
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

#: what a run may become from what it is
NEXT_OF_RUN: Final[Mapping[State, frozenset[State]]] = {
    State.WAITING: frozenset({State.RUNNING, State.GATED}) | FINAL,
    State.RUNNING: frozenset({State.WAITING, State.GATED}) | FINAL,
    State.GATED: frozenset({State.RUNNING, State.WAITING}) | FINAL,
}
#: what a step may become: it waits again before it is tried again, and a gate runs nothing
NEXT_OF_STEP: Final[Mapping[State, frozenset[State]]] = {
    State.WAITING: frozenset({State.RUNNING, State.GATED}) | FINAL,
    State.RUNNING: frozenset({State.WAITING, State.DONE, State.FAILED, State.CANCELLED}),
    State.GATED: FINAL,
}
