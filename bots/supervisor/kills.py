"""A kill as the supervisor carries it out: everywhere at once, confirmed by pipe, forced after two
seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from bots.control import wire
from bots.supervisor.child import Child
from storage.latch import ALL, Latch

FORCE_AFTER_S = 2.0
_DEAD_WITHIN_S = 3.0


@dataclass
class Report:
    """Who stopped when, in milliseconds after the order."""

    latch: Latch
    confirmed_ms: dict[str, float] = field(default_factory=dict)
    #: did not confirm in time, or a person would not wait: ended by SIGKILL, they come back latched
    forced: list[str] = field(default_factory=list)
    #: had no process at that moment; they come back latched
    absent: list[str] = field(default_factory=list)
    #: neither confirmed nor died of SIGKILL (a process that the kernel holds); must not be hidden
    remaining: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        return {
            "scope": self.latch.scope,
            "by": self.latch.by,
            "door": self.latch.door,
            "reason": self.latch.reason,
            "at": self.latch.changed_at.isoformat(),
            "confirmed_ms": {k: round(v, 1) for k, v in self.confirmed_ms.items()},
            "forced": self.forced,
            "absent": self.absent,
            "remaining": self.remaining,
            "sentence": self.sentence(),
        }

    def sentence(self) -> str:
        """What happened, for people."""
        confirmed = self.confirmed_ms
        concerned = len(confirmed) + len(self.absent) + len(self.remaining)
        text = f"{len(confirmed)} of {concerned} have stopped"
        if confirmed:
            text += f", the slowest after {max(confirmed.values()):.0f} ms"
        if self.forced:
            text += f"; ended by force, for they did not answer: {', '.join(self.forced)}"
        if self.absent:
            text += f"; had no process and come back killed: {', '.join(self.absent)}"
        if self.remaining:
            text += f"; STILL THERE: {', '.join(self.remaining)}"
        return f"Killed {self.latch.scope}: {text}."


class Kill:
    """One kill under way. `confirm` takes each agent's word or death, `force` gives up waiting for
    it, `finish` waits for all.
    """

    def __init__(
        self, latch: Latch, children: Mapping[str, Child], clock_s: Callable[[], float]
    ) -> None:
        self.report = Report(latch)
        self._clock_s = clock_s
        self._began_s = clock_s()
        self._done = asyncio.Event()
        concerned = [c for n, c in children.items() if latch.scope in {ALL, n}]
        self._waiting = {c.name: c for c in concerned if c.pid is not None}
        self.report.absent = [c.name for c in concerned if c.pid is None]
        for child in self._waiting.values():
            child.send({"kill": wire.to_json(latch)})
        self._look()

    def confirm(self, name: str) -> None:
        """This agent said that it has stopped, or its process is gone."""
        if self._waiting.pop(name, None) is not None:
            self.report.confirmed_ms[name] = (self._clock_s() - self._began_s) * 1000
        self._look()

    def force(self, scope: str) -> None:
        """End by SIGKILL whoever of `scope` (``all`` or an agent) has not confirmed."""
        for name, child in list(self._waiting.items()):
            if scope in {ALL, name}:
                child.kill(expected=True)
                if name not in self.report.forced:
                    self.report.forced.append(name)

    async def finish(self) -> Report:
        """Wait for every confirmation; end by SIGKILL who has not confirmed after two seconds."""
        left_s = FORCE_AFTER_S - (self._clock_s() - self._began_s)
        try:
            async with asyncio.timeout(left_s):
                await self._done.wait()
        except TimeoutError:
            self.force(ALL)
            with suppress(TimeoutError):
                async with asyncio.timeout(_DEAD_WITHIN_S):
                    await self._done.wait()
        self.report.remaining = list(self._waiting)
        return self.report

    def _look(self) -> None:
        if not self._waiting:
            self._done.set()
