"""When which step of telling people is due. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class Timing(Protocol):
    """As a step of `bots.escalation_settings`."""

    @property
    def after_s(self) -> float: ...

    @property
    def every_s(self) -> float: ...

    @property
    def times(self) -> int: ...


@dataclass(frozen=True, order=True)
class Due:
    #: place in the chain, from 0
    step: int
    #: how often it was due before
    round: int


def due(steps: Sequence[Timing], asked_at: datetime, now: datetime) -> list[Due]:
    """Of each step whose time has come the newest round: what nobody said in time is not said
    afterwards.
    """
    passed_s = (now - asked_at).total_seconds()
    return [
        Due(step, min(timing.times - 1, int((passed_s - timing.after_s) // timing.every_s)))
        for step, timing in enumerate(steps)
        if passed_s >= timing.after_s
    ]


def next_at(steps: Sequence[Timing], asked_at: datetime, now: datetime) -> datetime | None:
    """When something becomes due after `now`; None: nothing does any more."""
    rounds = (
        asked_at + timedelta(seconds=timing.after_s + number * timing.every_s)
        for timing in steps
        for number in range(timing.times)
    )
    return min((at for at in rounds if at > now), default=None)
