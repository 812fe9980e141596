"""An answer's way out: guard → `sending` recorded → transport → `sent` on proof, else `unknown`.

What is recorded as `sending` when a process dies is settled by its replacement: see
`bots.answering.recovery`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from structlog.typing import FilteringBoundLogger

from bots.insist import insist
from bots.messages import Delivery, Outgoing
from bots.metrics import REPLIES
from bots.transport import Transport
from brain.guard import Guard
from storage import replies
from storage.acts import Act, Permit
from storage.errors import PermitRefused, StorageError
from storage.store import Store
from storage.tables import ReplyState
from storage.unit import Unit

#: writes down what lines say: a unit of work, and their ids
Begun = Callable[[Unit, list[int]], Awaitable[None]]


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
    #: what a predecessor left is known: from now on lines that are `sending` may be our own
    may_begin: Callable[[], bool]
    #: asyncio holds its tasks weakly
    _endings: set[asyncio.Task[None]] = field(
        default_factory=set, init=False, repr=False, compare=False
    )

    async def say(
        self,
        outgoing: Outgoing,
        *,
        epoch: int,
        why: str,
        command: str = "",
        first_part: int = 0,
        begun: Begun | None = None,
    ) -> list[Delivery]:
        """Say it; raises `Refused`, `LeaseLost`, `Unsaid` or `StorageError` before a byte has left.

        `command` is the command that it answers: a killed agent may still answer some. `first_part`
        numbers the lines of an answer that goes to a second place. `begun` writes down what is
        said, in the transaction that records the lines as `sending`.
        """
        transport = self.transports[outgoing.target.network]
        parts = transport.split(outgoing.target, outgoing.text)
        if not parts:
            return []
        permit = await self.permit(outgoing, why, parts, command=command)
        ids = await self.begin(outgoing, parts, epoch, first_part=first_part, begun=begun)
        saying = transport.say(
            outgoing.target,
            parts,
            permit,
            keys=[key_of(reply_id, outgoing.trace_id) for reply_id in ids],
            answers=outgoing.answers,
        )
        return await self._left(ids, saying, outgoing.trace_id)

    async def attach(
        self, outgoing: Outgoing, name: str, text: str, *, epoch: int, why: str
    ) -> Delivery:
        """Attach the file `name` with `text` in it; `outgoing.text` is what the record says of it.
        Raises as `say`.
        """
        transport = self.transports[outgoing.target.network]
        permit = await self.permit(outgoing, why, [text])
        # Its words are not the file: nobody may say them again in its place.
        [reply_id] = ids = await self.begin(outgoing, [outgoing.text], epoch, grows=True)
        key = key_of(reply_id, outgoing.trace_id)

        async def attaching() -> list[Delivery]:
            data = text.encode()
            return [await transport.send_file(outgoing.target, name, data, permit, key=key)]

        [delivery] = await self._left(ids, attaching(), outgoing.trace_id)
        return delivery

    async def _left(
        self, ids: list[int], leaving: Awaitable[list[Delivery]], trace_id: str
    ) -> list[Delivery]:
        """What became of it, written down; raises `Unsaid` where nothing has left."""
        try:
            deliveries = await leaving
        except PermitRefused as error:
            # Recording took longer than the permit lasts; nothing has left.
            deliveries = [Delivery(sent=False, proof=str(error), unsaid=True) for _ in ids]
        except asyncio.CancelledError:
            # A person or a kill said stop: what was written by then may have arrived.
            stopped = Delivery(sent=False, proof="stopped while it was being sent", unknown=True)
            await self._to_its_end(self.settle(ids, [stopped for _ in ids], trace_id))
            raise
        if all(delivery.unsaid for delivery in deliveries):
            await self._to_its_end(self.forget(ids))
            raise Unsaid(deliveries[0].proof)
        await self._to_its_end(self.settle(ids, deliveries, trace_id))
        return deliveries

    async def permit(
        self, outgoing: Outgoing, why: str, parts: Sequence[str] = (), *, command: str = ""
    ) -> Permit:
        """The guard's yes to saying this (`parts` unknown where it is still being made); raises
        `Refused` and `Unsaid`.
        """
        if not self.may_begin():
            raise Unsaid("what a dead predecessor left is still being looked for")
        details = {
            "command": command,
            "lines": len(parts),
            "bytes": sum(len(p.encode()) for p in parts),
            "sha256": hashlib.sha256("\n".join(parts).encode()).hexdigest(),
        }
        act = Act(
            agent=self.agent,
            verb="send",
            target=str(outgoing.target),
            reason=why,
            trace_id=outgoing.trace_id,
            details=details if parts else {"command": command, "grows": True},
        )
        return await self.guard.permit(act)

    async def begin(
        self,
        outgoing: Outgoing,
        parts: Sequence[str],
        epoch: int,
        *,
        first_part: int = 0,
        grows: bool = False,
        begun: Begun | None = None,
    ) -> list[int]:
        """Record `parts` as `sending`; as `storage.replies.begin`. Who is cancelled meanwhile has
        begun nothing.
        """
        now = self.clock()

        async def write(unit: Unit) -> list[int]:
            ids = await replies.begin(
                unit,
                self.agent,
                str(outgoing.target),
                parts,
                inbox_id=outgoing.inbox_id,
                hops=outgoing.hops,
                trace_id=outgoing.trace_id,
                now=now,
                epoch=epoch,
                first_part=first_part,
                grows=grows,
                delegation_id=outgoing.delegation_id,
            )
            if begun is not None:
                await begun(unit, ids)
            return ids

        written = asyncio.create_task(self.store.write(write))
        try:
            return await asyncio.shield(written)
        except asyncio.CancelledError:
            # It may be committed already, and nobody else knows of it.
            await self._to_its_end(self._taken_back(written))
            raise

    async def _taken_back(self, written: asyncio.Task[list[int]]) -> None:
        with suppress(StorageError):
            await self.forget(await written)

    async def _to_its_end(self, ending: Coroutine[Any, Any, None]) -> None:
        """Who is stopped here, or stopped twice, leaves no row behind either."""
        task = asyncio.create_task(ending)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
        await asyncio.shield(task)

    async def forget(self, ids: Sequence[int]) -> None:
        """Take back what was begun and never left."""
        await insist(self.store, lambda unit: replies.forget(unit, ids), self.log)

    async def settle(self, ids: list[int], deliveries: list[Delivery], trace_id: str) -> None:
        """Write down what became of what was begun, however long the store takes."""
        outcomes: dict[tuple[ReplyState, str], list[int]] = {}
        for reply_id, delivery in zip(ids, deliveries, strict=True):
            outcomes.setdefault((state_of(delivery), delivery.proof), []).append(reply_id)

        async def write(unit: Unit) -> None:
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


def state_of(delivery: Delivery) -> ReplyState:
    if delivery.sent:
        return ReplyState.SENT
    return ReplyState.UNKNOWN if delivery.unknown else ReplyState.FAILED
