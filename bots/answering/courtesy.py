"""What shows that an answer is being made, on networks that can show it: typing, 👀, ✅ and ❌."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from bots.messages import Mark, Target
from bots.transport import Transport
from brain.errors import Refused
from brain.guard import Guard
from storage.acts import Act, Permit
from storage.errors import PermitRefused, StorageError
from storage.inbox import Work

#: an answer that comes sooner needs no sign before it
SLOW_S = 0.7
#: a network shows typing for about ten seconds
TYPING_EVERY_S = 8.0

Policy = Literal["always", "slow", "never"]


@dataclass(frozen=True)
class Courtesy:
    """One agent's signs; none of them is worth a fault in the answer itself."""

    agent: str
    guard: Guard
    #: by network
    transports: Mapping[str, Transport]
    policy: Policy
    #: asyncio holds its tasks weakly
    _signing: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def attending(self, work: Work, place: Target) -> AsyncIterator[Outcome]:
        """While an answer to `work` is made; what came of it is put into the value given."""
        outcome = Outcome()
        shows = self.transports[place.network].has_replies and work.msgid is not None
        if self.policy == "never" or not shows or work.hops:
            yield outcome
            return
        signs = asyncio.create_task(self._signs(work, place, outcome))
        try:
            yield outcome
        except BaseException:
            # Stopped, killed, or to be taken up again: nothing came of it that a sign could tell.
            outcome.known = False
            raise
        finally:
            outcome.done.set()
            # The last mark is not waited for: the next line may be answered meanwhile.
            self._signing.add(signs)
            signs.add_done_callback(self._signing.discard)

    async def _signs(self, work: Work, place: Target, outcome: Outcome) -> None:
        with suppress(Refused, PermitRefused, StorageError):
            slow = not await _comes_within(outcome.done, SLOW_S)
            shown = slow or self.policy == "always"
            if shown:
                await self._mark(work, place, Mark.SEEN)
            while not outcome.done.is_set():
                permit = await self._permit("typing", work, place)
                await self.transports[place.network].typing(place, permit)
                await _comes_within(outcome.done, TYPING_EVERY_S)
            ended = outcome.failed or (shown and self.policy == "always")
            if ended and outcome.known:
                await self._mark(work, place, Mark.FAILED if outcome.failed else Mark.DONE)

    async def _mark(self, work: Work, place: Target, mark: Mark) -> None:
        assert work.msgid is not None
        permit = await self._permit("mark", work, place)
        await self.transports[place.network].mark(place, work.msgid, mark, permit)

    async def _permit(self, verb: str, work: Work, place: Target) -> Permit:
        act = Act(
            agent=self.agent,
            verb=verb,
            target=str(place),
            reason=f"{work.sender} waits for an answer",
            trace_id=work.trace_id,
            details={"message": hashlib.sha256(str(work.msgid).encode()).hexdigest()[:16]},
        )
        return await self.guard.permit(act)


class Outcome:
    """What became of the work that is attended to."""

    def __init__(self) -> None:
        self.done = asyncio.Event()
        #: false where the work was left before its end
        self.known = True
        #: no answer in words will come
        self.failed = False


async def _comes_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
