"""One agent's end of the kill switch: knows whether it is killed, and kills through every door at
once.

The latch file is the truth that needs nobody: it is looked at every second even when the
supervisor, the bus and the database are gone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from structlog.typing import FilteringBoundLogger

from brain.guard import ALLOWED_WHEN_KILLED
from storage.acts import Permit
from storage.errors import StorageError
from storage.latch import Latch, LatchFile

#: between two looks at the file: what calls for them comes every second at least
_REST_S: Final = 0.9


class KillSwitch:
    """Holds the latch that binds this agent, None while it may work."""

    def __init__(
        self,
        agent: str,
        file: LatchFile,
        *,
        clock: Callable[[], datetime],
        tell: Callable[[Latch], None],
        log: FilteringBoundLogger,
    ) -> None:
        """`tell` spreads a kill by pipe and bus; like `on_killed` it may not wait."""
        self._agent = agent
        self._file = file
        self._clock = clock
        self._tell = tell
        self._log = log
        self.latch = file.killed(agent)
        #: when the file was looked at last, seconds of the monotonic clock
        self._looked_s = 0.0
        #: what the file was then, see `_stamp`
        self._seen: tuple[int, int] | None = None
        #: the latch that binds us stood in the file at the last look
        self._in_file = self.latch is not None
        #: ends this agent's own work; set once the parts that work are made
        self.on_killed: Callable[[Latch], None] = _nothing_works_yet
        #: lets it work again
        self.on_released: Callable[[Latch], None] = _nothing_works_yet

    def binding(self, agent: str) -> Latch | None:
        """The latch on this agent; what the guard asks before every act."""
        return self.latch if agent == self._agent else None

    def veto(self, permit: Permit) -> str:
        """Why a permit that was good is good no longer; empty while it is.

        Asked before every line that leaves: a kill must also end what was permitted before it.
        """
        if self.latch is None or permit.act.details.get("command") in ALLOWED_WHEN_KILLED:
            return ""
        return f"killed by {self.latch.by}"

    def told(self, agent: str) -> Latch | None:
        """The latch on any agent, as the file has it now; for `status`."""
        return self._file.killed(agent)

    def told_of(self, agents: Iterable[str]) -> dict[str, Latch]:
        """As `told`, for those of these agents that are killed."""
        return self._file.killed_of(agents)

    def apply(self, latch: Latch) -> None:
        """A kill arrived, through whatever door."""
        if not latch.killed or latch.scope not in ("all", self._agent) or self.latch is not None:
            return
        self.latch = latch
        self.on_killed(latch)
        self._log.warning("killed", by=latch.by, door=latch.door, reason=latch.reason)

    def release(self) -> None:
        """The supervisor says that an operator resumed; believed only if the file agrees."""
        before, self.latch = self.latch, self._file.killed(self._agent)
        if before is not None and self.latch is None:
            self._in_file = False
            self._log.warning("resumed")
            self.on_released(before)

    async def kill(self, scope: str, by: str, door: str, reason: str) -> Latch:
        """Kill through every door at once; any single one suffices, so none waits for another."""
        latch = Latch(
            scope=scope, killed=True, by=by, door=door, reason=reason, changed_at=self._clock()
        )
        self._tell(latch)
        self.apply(latch)
        try:
            await asyncio.to_thread(self._file.kill, scope, by, door, reason, latch.changed_at)
        except (OSError, StorageError) as error:
            # A full or vanished disk: pipe and bus have carried the kill already.
            self._log.error("latch.unwritable", error=str(error))
        return latch

    def look(self) -> None:
        """Look at the latch file; called every second, and what is called for sooner waits."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _REST_S:
            return
        self._looked_s = now_s
        stamp = self._stamp()
        if stamp is None or stamp != self._seen:
            self._seen = stamp
            self._obey()

    def _obey(self) -> None:
        latch = self._file.killed(self._agent)
        if latch is not None:
            self._in_file = True
            self.apply(latch)
        elif self.latch is not None and self._in_file:
            # A kill that the file never took is lifted by the supervisor's word alone.
            self.release()

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._file.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino


def _nothing_works_yet(latch: Latch) -> None:
    """Before its parts are made an agent has no work to end."""
