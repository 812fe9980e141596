"""From inbox rows to turns: commands at once, then by priority; serial in a session, parallel
across sessions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from structlog.typing import FilteringBoundLogger

from bots.answering.mouth import Unsaid
from bots.answering.recovery import take_back
from bots.answering.tries import Tries
from bots.insist import insist
from bots.metrics import ERRORS
from storage import inbox
from storage.errors import StorageError
from storage.inbox import Work
from storage.store import Store
from storage.tables import InboxState

#: a lost nudge costs at most this
_LOOK_S: Final = 10.0
#: and what comes while nobody can nudge, at most this
_LOOK_UNNUDGED_S: Final = 5.0
#: what failed for want of a connection or the store is looked at again so soon
_AGAIN_S = 0.5
#: what failed for no such reason rests so long, after the first fault and after the second
_REST_S = (1.0, 5.0)
#: so many commands of one person are worked on at a time
_COMMANDS_AT_ONCE = 10
COMMAND_PRIORITY = 0
PRIVATE_PRIORITY = 20
CHANNEL_PRIORITY = 30


@dataclass
class _Session:
    queue: list[Work] = field(default_factory=list)
    #: what the worker has in hand
    burst: list[Work] = field(default_factory=list)
    #: why a person or the kill switch ended the work; empty for an orderly end of the process
    stopped: str = ""
    #: the person who ended it, whose waiting lines end with it; None for everybody's
    stopped_by: str | None = None
    worker: asyncio.Task[None] | None = None

    @property
    def takes_work(self) -> bool:
        """What comes after a stop is not meant by it, however long stopped work takes to end."""
        return not self.stopped and self.worker is not None and not self.worker.done()


class Worklist:
    """What one agent owes. `turn` gets a burst of one person's lines, `command` one line.

    `connected` tells the networks on which something can be said, `is_nudged` whether others can
    `nudge` now.
    """

    def __init__(
        self,
        store: Store,
        agent: str,
        epoch: int,
        *,
        clock: Callable[[], datetime],
        turn: Callable[[list[Work]], Awaitable[None]],
        command: Callable[[Work], Awaitable[None]],
        outlives_kill: Callable[[Work], bool],
        connected: Callable[[], Collection[str]],
        is_nudged: Callable[[], bool],
        coalesce_s: float,
        log: FilteringBoundLogger,
    ) -> None:
        self._store = store
        self._agent = agent
        self._epoch = epoch
        self._clock = clock
        self._turn = turn
        self._command = command
        self._outlives_kill = outlives_kill
        self._connected = connected
        self._is_nudged = is_nudged
        self._coalesce_s = coalesce_s
        self._log = log
        self._nudged = asyncio.Event()
        self._sessions: dict[str, _Session] = {}
        self._taken: set[int] = set()
        #: claimed by us, and left in the middle because something failed
        self._stranded: set[int] = set()
        #: those of them that may have been the reason themselves
        self._faulty: set[int] = set()
        #: not taken up yet, for they failed a moment ago
        self._resting: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._commands: dict[int, tuple[Work, asyncio.Task[None]]] = {}

    def nudge(self) -> None:
        """Something may be in the inbox."""
        self._nudged.set()

    async def run(self) -> None:
        """Take up rows as they come, until cancelled."""
        while True:
            await self._look()
            try:
                async with asyncio.timeout(_LOOK_S if self._is_nudged() else _LOOK_UNNUDGED_S):
                    await self._nudged.wait()
            except TimeoutError:
                pass
            self._nudged.clear()

    async def _look(self) -> None:
        try:
            await self._take_back()
            # Without a connection nothing could be said: what is owed there waits.
            networks = self._connected()
            rows = await self._store.read(
                lambda unit: inbox.waiting(unit, self._agent, networks=networks)
            )
        except StorageError as error:
            self._log.warning("inbox.unreadable", error=str(error))
            return
        for work in rows:
            if work.inbox_id not in self._resting:
                self._take_up(work)

    async def _take_back(self) -> None:
        stranded = set(self._stranded)
        if stranded:
            undecided = await take_back(
                self._store,
                self._agent,
                self._epoch,
                stranded,
                faulty=stranded & self._faulty,
                now=self._clock(),
                log=self._log,
            )
            self._stranded -= stranded - undecided
            self._faulty -= stranded - undecided

    def stop_session(self, key: str, why: str, sender: str | None = None) -> bool:
        """End the current work of one session at once; True when there was any.

        With `sender`, what others have waiting there stays.
        """
        session = self._sessions.get(key)
        if session is None or session.worker is None or not session.takes_work:
            # Who says stop twice does not mean the tidying up.
            return False
        session.stopped, session.stopped_by = why, sender
        session.worker.cancel()
        return True

    def stop_all(self, why: str) -> None:
        """End all current work at once, but for what a killed agent still answers."""
        for key in list(self._sessions):
            self.stop_session(key, why)
        for work, task in list(self._commands.values()):
            if not self._outlives_kill(work):
                task.cancel()
                self._keep(asyncio.create_task(self._leave([work], InboxState.REFUSED, why)))

    @property
    def busy(self) -> int:
        """Turns being worked on."""
        return sum(1 for s in self._sessions.values() if s.worker and not s.worker.done())

    def _take_up(self, work: Work) -> None:
        if work.inbox_id in self._taken:
            return
        self._taken.add(work.inbox_id)
        if work.priority <= COMMAND_PRIORITY:
            self._take_up_command(work)
            return
        session = self._sessions.get(work.session)
        if session is not None and session.takes_work:
            session.queue.append(work)
            return
        # One that was stopped, or whose worker has just ended, is still to be parted with.
        session = self._sessions[work.session] = _Session(queue=[work])
        session.worker = asyncio.create_task(self._serve(session))
        self._keep(session.worker)
        ended = partial(self._part_with, work.session, session)
        session.worker.add_done_callback(lambda _: ended())

    def _take_up_command(self, work: Work) -> None:
        at_work = sum(1 for other, _ in self._commands.values() if other.sender == work.sender)
        if at_work >= _COMMANDS_AT_ONCE:
            # Who floods waits for nobody: these lines are looked at and left.
            flood = f"{work.sender} has {at_work} commands at work already"
            self._keep(asyncio.create_task(self._leave([work], InboxState.SILENT, flood)))
            return
        task = asyncio.create_task(self._one_command(work))
        self._commands[work.inbox_id] = (work, task)
        task.add_done_callback(lambda _: self._commands.pop(work.inbox_id))

    async def _one_command(self, work: Work) -> None:
        try:
            # A turn tells who commanded it that it is not tried again.
            given_up = Tries.told(work.note).are_enough
            await (self._turn([work]) if given_up else self._command(work))
        except Exception as error:  # noqa: BLE001 - the outermost frame of one piece of work
            self._failed("command", [work], error)
        self._taken.discard(work.inbox_id)

    async def _serve(self, session: _Session) -> None:
        """Work through one session until its queue is empty."""
        while session.queue:
            await asyncio.sleep(self._coalesce_s)
            session.burst = self._burst(session)
            try:
                await self._turn(session.burst)
            except Exception as error:  # noqa: BLE001 - the outermost frame of one piece of work
                self._failed("turn", session.burst, error)
            self._taken.difference_update(w.inbox_id for w in session.burst)
            session.burst = []

    def _part_with(self, key: str, session: _Session) -> None:
        """What a session leaves behind: stopped work is refused, the rest is taken up anew.

        Called when its worker has ended, also one that was stopped before it began.
        """
        if self._sessions.get(key) is session:
            del self._sessions[key]
        waiting = session.queue
        if session.stopped:
            by = session.stopped_by
            refused = [*session.burst, *(w for w in waiting if by is None or w.sender == by)]
            waiting = [w for w in waiting if w not in refused]
            if refused:
                refusing = self._leave(refused, InboxState.REFUSED, session.stopped)
                self._keep(asyncio.create_task(refusing))
        else:
            waiting = [*session.burst, *waiting]
        self._taken.difference_update(w.inbox_id for w in waiting)
        self._nudged.set()

    async def _leave(self, left: list[Work], state: InboxState, why: str) -> None:
        """Settle what is not worked on any more, however long the store takes: it must never be
        taken up again.
        """
        ids = [w.inbox_id for w in left]
        await insist(
            self._store,
            lambda unit: inbox.settle(
                unit, ids, self._agent, self._epoch, state, self._clock(), why
            ),
            self._log,
        )
        self._taken.difference_update(ids)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _burst(self, session: _Session) -> list[Work]:
        """The next lines of one person that are waiting together: they become one question. One
        that may be why they failed together stands alone.
        """
        first = session.queue[0]
        burst = [first]
        if not Tries.told(first.note).make_suspect:
            together = (w for w in session.queue if w.sender == first.sender)
            burst = [w for w in together if not Tries.told(w.note).make_suspect]
        session.queue[:] = [w for w in session.queue if w not in burst]
        return burst

    def _failed(self, where: str, burst: list[Work], error: Exception) -> None:
        """The next look takes these rows back and up again."""
        ERRORS.labels(where).inc()
        ids = {w.inbox_id for w in burst}
        self._stranded |= ids
        # A connection that was just lost is often back in a moment.
        asyncio.get_running_loop().call_later(_AGAIN_S, self.nudge)
        passing = isinstance(error, StorageError | Unsaid)
        if not passing:
            self._faulty |= ids
            self._rest(ids, Tries.told(*(w.note for w in burst)).faults)
        self._log.warning(
            f"{where}.failed",
            inbox_id=burst[0].inbox_id,
            trace_id=burst[0].trace_id,
            error=str(error),
            exc_info=None if passing else error,
        )

    def _rest(self, ids: set[int], faults: int) -> None:
        if faults >= len(_REST_S):
            return

        def rested() -> None:
            self._resting -= ids
            self.nudge()

        self._resting |= ids
        asyncio.get_running_loop().call_later(_REST_S[faults], rested)
