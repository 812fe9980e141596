"""What one agent remembers of one channel: what it heard there, and which of it is stored.

Pure but for the lock: times are passed in, nobody asks a store.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import accumulate

from storage.alignment import AT_ONCE, Stay
from storage.leases import Held
from storage.record import NewLine

#: the listener has this long to store a line
GRACE_S = 2.0
#: a stored line stays in memory this long, so that late or reordered ones still align with it
REMEMBER_S = 15.0
#: another agent's clock may be behind ours by this much. Little: within it a line said before we
#: came is taken for one of ours, and words said again soon after would be lost
SLACK_S = 0.2


@dataclass(eq=False)
class Remembered:
    line: NewLine
    stored_id: int | None = None
    #: it stands in the journal
    written: bool = False


@dataclass
class Channel:
    network: str
    name: str
    #: id of the newest stored line that is surely older than everything in `memory`
    after_id: int
    #: nobody heard a line of `memory` before this
    since: datetime
    #: what others heard in this time, we heard as well
    stay: Stay
    memory: list[Remembered] = field(default_factory=list)
    #: so many at the head of `memory` are stored
    settled: int = 0
    lease: Held | None = None
    #: held while a try to get the lease is under way
    volunteering: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: newest id, if we have heard every line up to it: tells that nobody else wrote meanwhile
    last_own_id: int | None = None
    #: storing and beginning anew take turns
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def begin(self, last_id: int, now: datetime) -> None:
        """We join now: what was said so far is behind us."""
        self.after_id, self.since = last_id, now - timedelta(seconds=SLACK_S)
        self.joined(now)
        self.memory, self.settled, self.last_own_id = [], 0, None

    def joined(self, now: datetime) -> None:
        """The server let us in at this moment."""
        self.stay = Stay(now + AT_ONCE)

    def left(self, now: datetime) -> None:
        """The connection was lost, no later than this."""
        if self.stay.until is None:
            self.stay = replace(self.stay, until=now)

    @property
    def lease_name(self) -> str:
        return f"listener:{self.network}:{self.name}"

    @property
    def session(self) -> str:
        """As the inbox and the journal name it: ``irc:#lobby``."""
        return f"{self.network}:{self.name}"

    def waiting(self) -> list[Remembered]:
        """What is not stored yet, oldest first."""
        memory = self.memory
        while self.settled < len(memory) and memory[self.settled].stored_id is not None:
            self.settled += 1
        return [r for r in memory[self.settled :] if r.stored_id is None]

    def waiting_until(self, until: datetime | None) -> list[Remembered]:
        return [r for r in self.waiting() if until is None or r.line.heard_at <= until]

    def newest(self) -> int:
        """Id of the newest line that we know to be stored."""
        ids = [r.stored_id for r in self.memory if r.stored_id is not None]
        return max([self.after_id, *ids])

    def overdue(self, now: datetime) -> bool:
        waiting = self.waiting()
        return bool(waiting) and waiting[0].line.heard_at <= now - timedelta(seconds=GRACE_S)

    def forget(self, now: datetime) -> None:
        """Drop what is stored and old; everything still remembered is newer than `after_id`.

        A line may have been stored long after the next one: both go together.
        """
        self.waiting()
        old = now - timedelta(seconds=REMEMBER_S)
        aged = 0
        while aged < self.settled and self.memory[aged].line.heard_at <= old:
            aged += 1
        if not aged:
            return
        # Called at every batch: one pass over the memory, however long it is.
        ids = [r.stored_id or 0 for r in self.memory[:aged]]
        newest = list(accumulate(ids, max))
        later = (r.stored_id for r in self.memory[aged:] if r.stored_id is not None)
        lowest = min(later, default=sys.maxsize)
        while aged and newest[aged - 1] >= lowest:
            aged -= 1
            lowest = min(lowest, ids[aged])
        if aged:
            self.after_id = max(self.after_id, newest[aged - 1])
        del self.memory[:aged]
        self.settled -= aged
