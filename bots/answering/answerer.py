"""From a burst of lines to an answer that is on its way: loop guard, claim, brain, mouth, settled
rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from bots.answering.courtesy import Courtesy
from bots.answering.growing import Growing
from bots.answering.loopguard import Line, LoopGuard
from bots.answering.matter import InboxClaim
from bots.answering.placing import place_of
from bots.answering.replying import Replying
from bots.answering.thinker import Exchanged, Thinker
from bots.answering.tries import Tries
from bots.answering.wording import footed
from bots.commands.reading import question_of
from bots.hearing import gate
from bots.hearing.short import is_stop
from bots.messages import Delivery
from bots.metrics import ANSWER_SECONDS, REFUSALS
from bots.roster import Roster
from brain.errors import ModelFailed, PromptMissing, Refused
from brain.guard import UNRECORDED
from brain.prompting.silence import is_silence
from storage import agents, inbox
from storage.errors import LeaseLost, StoreUnavailable
from storage.inbox import Work
from storage.latch import Latch
from storage.store import Store
from storage.tables import HeartbeatTier, InboxState
from storage.unit import Unit

#: characters of a burst that become one question
_LONGEST_QUESTION = 4_000
#: what has waited longer is not answered any more: nobody expects it
STALE_AFTER = timedelta(minutes=10)
_GIVEN_UP = "I cannot answer that line: something in it breaks me, however often I try."


@dataclass(frozen=True)
class Answerer:
    """Turns one agent's work into answers."""

    agent: str
    epoch: int
    store: Store
    thinker: Thinker
    replying: Replying
    courtesy: Courtesy
    guard: LoopGuard
    roster: Roster
    latch: Callable[[], Latch | None]
    clock: Callable[[], datetime]
    log: FilteringBoundLogger

    async def turn(self, burst: list[Work]) -> None:
        """Answer the lines of one person that came together, once; raises `StorageError`,
        `Unsaid`.
        """
        refusal = self._refusal(burst)
        if refusal is not None:
            state, why = refusal
            REFUSALS.labels(state.value).inc()
            self.log.info("not_answered", state=state.value, why=why, trace_id=burst[-1].trace_id)
            await self.settle(burst, state, why)
            return
        won = await self.claim(burst)
        burst = [w for w in burst if w.inbox_id in won]
        if not burst:
            return
        tries = Tries.told(*(work.note for work in burst))
        if tries.are_enough:
            await self._give_up(burst, tries)
        else:
            await self._answer(burst)

    async def settle(
        self,
        burst: list[Work],
        state: InboxState,
        note: str = "",
        *,
        exchanged: Exchanged | None = None,
    ) -> int:
        """How many of these rows were still ours to settle; what was exchanged is remembered."""
        now = self.clock()

        async def settled(unit: Unit) -> int:
            if exchanged is not None:
                last = burst[-1]
                await self.thinker.remember(unit, last, exchanged, inbox_id=last.inbox_id)
            ids = [w.inbox_id for w in burst]
            ours = await inbox.settle(unit, ids, self.agent, self.epoch, state, now, note)
            await agents.beat(unit, self.agent, HeartbeatTier.FUNCTIONAL, now)
            return ours

        return await self.store.write(settled)

    async def leave_waiting(self, session: str, sender: str, before: int | None) -> bool:
        """Who says stop means all that they asked before it (the line `before`, where it is one),
        taken up already or not; True when there was any.
        """
        async with self.store.reading() as unit:
            waiting = await inbox.waiting(unit, self.agent)
        meant = [
            work
            for work in waiting
            if (work.session, work.sender) == (session, sender)
            and (before is None or work.message_id < before)
        ]
        if meant:
            await self.settle(meant, InboxState.REFUSED, f"{sender} said stop")
        return bool(meant)

    def _refusal(self, burst: list[Work]) -> tuple[InboxState, str] | None:
        latch = self.latch()
        if latch is not None:
            return InboxState.REFUSED, latch.told
        if burst[-1].heard_at < self.clock() - STALE_AFTER:
            return InboxState.SILENT, "too old to answer"
        verdict = self.guard.weigh(self._line(burst[-1]))
        return None if verdict.allowed else (InboxState.SILENT, verdict.reason)

    async def claim(self, burst: list[Work]) -> set[int]:
        """One transaction: the rows are ours, and the functional heartbeat says what is being
        worked on.
        """
        now = self.clock()

        async def claimed(unit: Unit) -> set[int]:
            ids = [w.inbox_id for w in burst]
            won = await inbox.claim(unit, ids, self.agent, self.epoch, now)
            if won:
                claim = f"inbox {won[0]}"
                await agents.beat(unit, self.agent, HeartbeatTier.FUNCTIONAL, now, claim=claim)
            return set(won)

        return await self.store.write(claimed)

    async def _answer(self, burst: list[Work]) -> None:
        last = burst[-1]
        async with self.courtesy.attending(last, place_of(last)) as shown:
            try:
                deliveries, exchanged = await self._answered(burst)
            except (Refused, ModelFailed, LeaseLost) as error:
                raise_if_store(error)
                shown.failed = True
                REFUSALS.labels("refused").inc()
                self.log.info("refused", why=str(error), trace_id=last.trace_id)
                await self.settle(burst, InboxState.REFUSED, str(error))
                return
            silent = exchanged is not None and not deliveries
            shown.failed = not silent and not any(d.sent for d in deliveries)
        if silent:
            note = "it had nothing to say"
            await self.settle(burst, InboxState.SILENT, note, exchanged=exchanged)
            return
        self.guard.answered(self._line(last))
        note = note_of(deliveries)
        await self.settle(burst, outcome(deliveries), note, exchanged=exchanged)
        ANSWER_SECONDS.observe(
            (self.clock() - last.heard_at).total_seconds(), {"trace_id": last.trace_id}
        )
        if exchanged is not None and exchanged.prompt:
            await self.thinker.tidy(last)

    async def _give_up(self, burst: list[Work], tries: Tries) -> None:
        """The line breaks whoever reads it: a person is told so, once; an agent hears nothing."""
        last = burst[-1]
        note = f"given up: {tries.note}"
        REFUSALS.labels("refused").inc()
        self.log.warning("given_up", why=note, trace_id=last.trace_id)
        if last.said_by is None:
            try:
                await self.replying.reply(last, _GIVEN_UP, why=f"{last.sender} asked")
            except (Refused, LeaseLost) as error:
                raise_if_store(error)
                note = f"{note}; not told: {error}"
        await self.settle(burst, InboxState.REFUSED, note)

    async def _answered(self, burst: list[Work]) -> tuple[list[Delivery], Exchanged | None]:
        last = burst[-1]
        text = "\n".join(self._question(w) for w in burst)[:_LONGEST_QUESTION]
        if is_stop(text):
            return await self.replying.reply(last, "Stopped.", why=f"{last.sender} said stop"), None
        growing = self.replying.growing(last, text)
        try:
            claim = InboxClaim(self.store, last, self.epoch, self.clock)
            exchanged = await self.thinker.think(last, text, claim, growing)
        except (ModelFailed, PromptMissing) as failure:
            if last.said_by is not None:
                raise
            # No agent hears of it; a person is told what is wrong, and it is no turn to remember.
            sorry = f"I cannot answer that now: {failure}"
            return await self._said(last, text, sorry, growing), None
        except BaseException:
            if growing is not None:
                await growing.abandon("stopped while it was being said")
            raise
        if is_silence(exchanged.answer.text):
            if growing is None or not growing.begun:
                return [], exchanged
            # Another model had begun to speak before this one chose silence.
            return await growing.withdraw(), exchanged
        roomy = self.replying.mouth.transports[last.network].has_replies
        said = await self._said(last, text, footed(exchanged.answer, roomy=roomy), growing)
        return said, exchanged

    async def _said(
        self, work: Work, asked: str, text: str, growing: Growing | None
    ) -> list[Delivery]:
        if growing is not None and growing.begun:
            return await growing.finish(text)
        place = await self.replying.placing.for_answer(work, asked)
        return await self.replying.reply(work, text, why=f"{work.sender} asked", place=place)

    def _question(self, work: Work) -> str:
        text = work.text
        if not work.channel.startswith("nick:"):
            here = self.roster.addressable(work.network, work.channel)
            text = gate.addressees(text, here).text
        return question_of(text, self.thinker.settings.prefix_in(work.channel))

    def _line(self, work: Work) -> Line:
        return Line(
            channel=work.session,
            speaker=work.said_by or work.sender,
            from_bot=work.hops > 0,
            hops=work.hops,
            text=work.text,
            at_s=asyncio.get_running_loop().time(),
        )


def raise_if_store(error: Exception) -> None:
    """A guard that could not record its decision has not decided: the work is done later.

    Raises `StoreUnavailable` when `error` is such a refusal.
    """
    if isinstance(error, Refused) and error.policy == UNRECORDED:
        raise StoreUnavailable(error.reason) from error


def outcome(deliveries: list[Delivery]) -> InboxState:
    """What an inbox row ends as, given what became of the lines that answer it."""
    if any(d.unknown for d in deliveries):
        return InboxState.UNKNOWN
    return InboxState.ANSWERED if any(d.sent for d in deliveries) else InboxState.REFUSED


def note_of(deliveries: list[Delivery]) -> str:
    return next((d.proof for d in deliveries if not d.sent), "")
