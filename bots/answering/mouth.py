"""An answer's way out: guard → `sending` recorded → transport → `sent` on proof, else `unknown`.

What is recorded as `sending` when a process dies is settled by its replacement, from proof in the
record alone; without proof it is shown as unknown and never sent again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession
from structlog.typing import FilteringBoundLogger

from bots.insist import insist
from bots.messages import Delivery, Outgoing
from bots.metrics import REPLIES
from bots.transport import Transport
from brain.guard import Guard
from storage import inbox, replies
from storage.acts import Act
from storage.errors import PermitRefused
from storage.inbox import Work
from storage.store import Store
from storage.tables import InboxState, ReplyState

#: a replacement waits this long for the others to store what they heard before it calls a reply
#: unknown
PROOF_WAIT = timedelta(seconds=8)


_TAKEN_BACK = "taken back"
_MOST_TRIES = 5


class Unsaid(Exception):
    """Nothing was said, for want of a connection: it can be said later."""


@dataclass(frozen=True)
class Mouth:
    """One agent's mouth on all its networks."""

    store: Store
    guard: Guard
    #: by network
    transports: Mapping[str, Transport]
    agent: str
    clock: Callable[[], datetime]
    log: FilteringBoundLogger

    async def say(
        self, outgoing: Outgoing, *, epoch: int, why: str, command: str = "", first_part: int = 0
    ) -> list[Delivery]:
        """Say it; raises `Refused`, `LeaseLost`, `Unsaid` or `StorageError` before a byte has left.

        `command` is the command that it answers: a killed agent may still answer some. `first_part`
        numbers the lines of an answer that goes to a second place.
        """
        target = str(outgoing.target)
        transport = self.transports[outgoing.target.network]
        parts = transport.split(outgoing.target, outgoing.text)
        if not parts:
            return []
        permit = await self.guard.permit(self._act(outgoing, parts, why, command))
        async with self.store.writing() as unit:
            ids = await replies.begin(
                unit,
                self.agent,
                target,
                parts,
                inbox_id=outgoing.inbox_id,
                hops=outgoing.hops,
                trace_id=outgoing.trace_id,
                now=self.clock(),
                epoch=epoch,
                first_part=first_part,
            )
        try:
            deliveries = await transport.say(
                outgoing.target,
                parts,
                permit,
                keys=[key_of(reply_id, outgoing.trace_id) for reply_id in ids],
                answers=outgoing.answers,
            )
        except PermitRefused as error:
            # Recording took longer than the permit lasts; nothing has left.
            deliveries = [Delivery(sent=False, proof=str(error), unsaid=True) for _ in parts]
        except asyncio.CancelledError:
            # A person or a kill said stop: what was written by then may have arrived.
            stopped = Delivery(sent=False, proof="stopped while it was being sent", unknown=True)
            await self._settle(ids, [stopped for _ in parts], outgoing.trace_id)
            raise
        if all(delivery.unsaid for delivery in deliveries):
            await insist(self.store, lambda unit: replies.forget(unit, ids), self.log)
            raise Unsaid(deliveries[0].proof)
        await self._settle(ids, deliveries, outgoing.trace_id)
        return deliveries

    def _act(self, outgoing: Outgoing, parts: Sequence[str], why: str, command: str) -> Act:
        return Act(
            agent=self.agent,
            verb="send",
            target=str(outgoing.target),
            reason=why,
            trace_id=outgoing.trace_id,
            details={
                "command": command,
                "lines": len(parts),
                "bytes": sum(len(p.encode()) for p in parts),
                "sha256": hashlib.sha256("\n".join(parts).encode()).hexdigest(),
            },
        )

    async def _settle(self, ids: list[int], deliveries: list[Delivery], trace_id: str) -> None:
        outcomes: dict[tuple[ReplyState, str], list[int]] = {}
        for reply_id, delivery in zip(ids, deliveries, strict=True):
            outcomes.setdefault((_state(delivery), delivery.proof), []).append(reply_id)

        async def write(unit: AsyncSession) -> None:
            for (state, proof), settled in outcomes.items():
                await replies.settle(unit, settled, state, proof, self.clock())

        # What was said was said: the record of it may be late, never missing.
        await insist(self.store, write, self.log)
        for (state, proof), settled in outcomes.items():
            REPLIES.labels(state.value).inc(len(settled))
            self.log.info(
                "reply", state=state.value, proof=proof, lines=len(settled), trace_id=trace_id
            )


def key_of(reply_id: int, trace_id: str) -> str:
    """What names one line for good, in at most 25 characters (Discord's limit for a nonce)."""
    return f"{trace_id[:16]}.{reply_id % 10**8}"


def _state(delivery: Delivery) -> ReplyState:
    if delivery.sent:
        return ReplyState.SENT
    return ReplyState.UNKNOWN if delivery.unknown else ReplyState.FAILED


async def recover(
    store: Store,
    agent: str,
    epoch: int,
    *,
    born_at: datetime,
    now: datetime,
    log: FilteringBoundLogger,
) -> bool:
    """Settle what this agent's dead predecessors left; True when some of it must be looked at again
    later.

    Work of which nothing was sent goes back to the queue. Lines that were being sent before
    `born_at` are looked for in the record; after `PROOF_WAIT` the rest is unknown.
    """
    pending = False
    async with store.writing() as unit:
        for reply in await replies.open_of(unit, agent):
            if reply.sending_at >= born_at:
                # Our own, on its way.
                continue
            assert reply.id is not None
            witness = await replies.heard(unit, reply)
            if witness is not None:
                await replies.settle(unit, [reply.id], ReplyState.SENT, f"record:{witness}", now)
            elif reply.sending_at < now - PROOF_WAIT:
                await replies.settle(unit, [reply.id], ReplyState.UNKNOWN, "its process died", now)
            else:
                pending = True
        orphans = await inbox.orphans(unit, agent, epoch)
        await _take_back(unit, orphans, agent, epoch, now=now, log=log, died=True)
    return pending


async def take_back(
    store: Store,
    agent: str,
    epoch: int,
    ids: Collection[int],
    *,
    now: datetime,
    log: FilteringBoundLogger,
) -> None:
    """Rows that this very process works on no longer, because the store failed in the middle: back
    to the queue, or settled when their answer was on its way. Raises `StorageError`.
    """
    async with store.writing() as unit:
        working = await inbox.orphans(unit, agent, epoch + 1)
        ours = [work for work in working if work.inbox_id in ids]
        await _take_back(unit, ours, agent, epoch, now=now, log=log, died=False)


async def _take_back(
    unit: AsyncSession,
    orphans: Sequence[Work],
    agent: str,
    epoch: int,
    *,
    now: datetime,
    log: FilteringBoundLogger,
    died: bool,
) -> None:
    bursts: dict[object, list[Work]] = {}
    for work in orphans:
        # One answer to several lines is recorded with the last of them.
        bursts.setdefault((work.session, work.sender, work.claimed_at), []).append(work)
    for burst in bursts.values():
        ids = [work.inbox_id for work in burst]
        states = {state for one in ids for state in await replies.states_of(unit, one)}
        log.info("orphan", inbox_ids=ids, replies=sorted(states), trace_id=burst[-1].trace_id)
        if ReplyState.SENDING in states:
            continue
        # Only a death counts: a lost connection or a locked database is not the line's fault.
        tries = int(died) + max(_tries(work) for work in burst)
        await inbox.requeue(unit, ids, agent, epoch, f"{_TAKEN_BACK} {tries}")
        if not states and tries >= _MOST_TRIES:
            # A line that ends whoever reads it must not end its replacements for ever.
            why = f"given up after {tries} tries"
            await inbox.settle(unit, ids, agent, epoch, InboxState.REFUSED, now, why)
        elif states:
            note = "settled after a fault"
            await inbox.settle(unit, ids, agent, epoch, _ended(states), now, note)


def _tries(work: Work) -> int:
    word, _, number = work.note.rpartition(" ")
    return int(number) if word == _TAKEN_BACK and number.isdigit() else 0


def _ended(states: Collection[ReplyState]) -> InboxState:
    if ReplyState.UNKNOWN in states:
        return InboxState.UNKNOWN
    return InboxState.ANSWERED if ReplyState.SENT in states else InboxState.REFUSED
