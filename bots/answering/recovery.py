"""What a dead process left behind: claimed work, and lines of which nobody knows whether they came
through.

A line that was being said is looked for: in the record, where somebody may have heard it; by saying
it once more under the same key where the network knows a key that it has seen. Without proof it is
shown as unknown and never said again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from bots.answering.matter import DEED_BEGUN
from bots.answering.mouth import key_of, state_of
from bots.answering.tries import Tries
from bots.messages import Delivery, Target
from bots.transport import Transport
from brain.errors import Refused
from brain.guard import Guard
from storage import inbox, replies
from storage.acts import Act
from storage.errors import PermitRefused
from storage.inbox import Work
from storage.store import Store
from storage.tables import InboxState, Reply, ReplyState
from storage.unit import Unit

#: a replacement waits this long for the others to store what they heard before it calls a line
#: unknown
PROOF_WAIT_S = 8.0
#: Discord knows a nonce "for the past few minutes" (its documentation, "Create Message")
KEYS_KNOWN_FOR = timedelta(seconds=90)


class Recovery:
    """One process's look at what its predecessors left. `look` until it returns False."""

    def __init__(
        self,
        store: Store,
        guard: Guard,
        transports: Mapping[str, Transport],
        agent: str,
        epoch: int,
        *,
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._guard = guard
        self._transports = transports
        self._agent = agent
        self._epoch = epoch
        self._clock = clock
        self._log = log
        self._now_s = now_s
        #: the lines that were being said when we came; None as long as nobody could look
        self._left: list[Reply] | None = None
        self._found_at_s = 0.0

    @property
    def knows(self) -> bool:
        """The first look is over: a line that is `sending` from now on may be our own."""
        return self._left is not None

    async def look(self) -> bool:
        """Settle what can be settled; True when some of it must be looked at again later.

        Work of which nothing was said goes back to the queue. Raises `StorageError`.
        """
        if self._left is None:
            async with self._store.reading() as unit:
                self._left = await replies.open_of(unit, self._agent)
            self._found_at_s = self._now_s()
        # One after the other: the parts of an answer are said in their order.
        self._left = still = [reply for reply in self._left if not await self._settled(reply)]
        async with self._store.writing() as unit:
            orphans = await inbox.orphans(unit, self._agent, self._epoch)
            ends = _Ends(self._agent, self._epoch, self._clock(), self._log, died=True)
            await ends.take_back(unit, orphans)
        return bool(still)

    async def _settled(self, reply: Reply) -> bool:
        assert reply.id is not None
        async with self._store.reading() as unit:
            witness = await replies.heard(unit, reply)
            answers = await replies.answered_line(unit, reply)
        outcome: tuple[ReplyState, str] | None = None
        if reply.grows:
            # The beginning of an answer is no answer, and is not said a second time.
            outcome = (ReplyState.UNKNOWN, "its process died in the middle of it")
        elif witness is not None:
            outcome = (ReplyState.SENT, f"record:{witness}")
        elif (said := await self._said_again(reply, answers)) is not None:
            outcome = (state_of(said), said.proof)
        elif self._now_s() - self._found_at_s > PROOF_WAIT_S:
            outcome = (ReplyState.UNKNOWN, "its process died")
        if outcome is None:
            return False
        async with self._store.writing() as unit:
            await replies.settle(unit, [reply.id], *outcome, self._clock())
        return True

    async def _said_again(self, reply: Reply, answers: str | None) -> Delivery | None:
        """The same line under the same key; None where that would be another line, or cannot be
        done at this moment.
        """
        target = Target.parse(reply.target)
        transport = self._transports.get(target.network)
        age = abs(self._clock() - reply.sending_at)
        if transport is None or not transport.knows_keys or age > KEYS_KNOWN_FOR:
            return None
        if not transport.health.connected:
            return None
        assert reply.id is not None
        act = Act(
            agent=self._agent,
            verb="send",
            target=reply.target,
            reason="its process died before it knew whether this line had come through",
            trace_id=reply.trace_id,
            details={"again": reply.id, "sha256": hashlib.sha256(reply.text.encode()).hexdigest()},
        )
        try:
            permit = await self._guard.permit(act)
            [said] = await transport.say(
                target,
                [reply.text],
                permit,
                keys=[key_of(reply.id, reply.trace_id)],
                answers=answers,
            )
        except (Refused, PermitRefused) as error:
            self._log.info("reply.not_repeated", why=str(error), trace_id=reply.trace_id)
            return None
        return None if said.unsaid or said.unknown else said


async def take_back(
    store: Store,
    agent: str,
    epoch: int,
    ids: Collection[int],
    *,
    faulty: Collection[int] = (),
    now: datetime,
    log: FilteringBoundLogger,
) -> set[int]:
    """Rows that this very process works on no longer, because something failed in the middle: back
    to the queue, or settled when their answer was on its way; `faulty` are those whose own fault it
    may be. Returns those of which a line is still on its way: look again. Raises `StorageError`.
    """
    async with store.writing() as unit:
        working = await inbox.orphans(unit, agent, epoch + 1)
        ours = [work for work in working if work.inbox_id in ids]
        ends = _Ends(agent, epoch, now, log, faulty=faulty)
        return await ends.take_back(unit, ours)


@dataclass(frozen=True)
class _Ends:
    """What becomes of rows that somebody worked on and left."""

    agent: str
    epoch: int
    now: datetime
    log: FilteringBoundLogger
    died: bool = False
    faulty: Collection[int] = ()

    async def take_back(self, unit: Unit, left: Sequence[Work]) -> set[int]:
        """Returns the ids of what cannot be decided yet."""
        bursts: dict[object, list[Work]] = {}
        for work in left:
            # One answer to several lines is recorded with the last of them.
            bursts.setdefault((work.session, work.sender, work.claimed_at), []).append(work)
        undecided: set[int] = set()
        for burst in bursts.values():
            ids = [work.inbox_id for work in burst]
            states = {state for one in ids for state in await replies.states_of(unit, one)}
            said = sorted(states)
            self.log.info("orphan", inbox_ids=ids, replies=said, trace_id=burst[-1].trace_id)
            if ReplyState.SENDING in states:
                undecided.update(ids)
            else:
                await self._end(unit, burst, ids, states)
        return undecided

    async def _end(
        self, unit: Unit, burst: list[Work], ids: list[int], states: Collection[ReplyState]
    ) -> None:
        before = Tries.told(*(work.note for work in burst))
        # A lost connection or a locked database is not the line's fault.
        faults = int(not set(ids).isdisjoint(self.faulty))
        tries = Tries(before.deaths + int(self.died), before.faults + faults)
        await inbox.requeue(unit, ids, self.agent, self.epoch, tries.note)
        if states:
            ended, note = _ended(states), "settled after a fault"
        elif any(work.note == DEED_BEGUN for work in burst):
            ended, note = InboxState.UNKNOWN, f"{DEED_BEGUN}; it is not done again"
        elif tries.are_too_many:
            # A line that ends whoever reads it must not end its replacements for ever.
            ended, note = InboxState.REFUSED, f"given up: {tries.note}"
        else:
            return
        await inbox.settle(unit, ids, self.agent, self.epoch, ended, self.now, note)


def _ended(states: Collection[ReplyState]) -> InboxState:
    if ReplyState.UNKNOWN in states:
        return InboxState.UNKNOWN
    return InboxState.ANSWERED if ReplyState.SENT in states else InboxState.REFUSED
