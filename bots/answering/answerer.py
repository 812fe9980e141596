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
from bots.answering.loopguard import Line, LoopGuard
from bots.answering.mouth import Mouth
from bots.answering.placing import Placing, place_of
from bots.answering.thinker import Exchanged, Thinker
from bots.commands.reading import question_of
from bots.hearing import gate
from bots.hearing.short import is_stop
from bots.messages import Delivery, Outgoing, Target
from bots.metrics import ANSWER_SECONDS, REFUSALS
from bots.roster import Roster
from brain.errors import ModelFailed, Refused
from brain.guard import UNRECORDED
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


@dataclass(frozen=True)
class Answerer:
    """Turns one agent's work into answers."""

    agent: str
    epoch: int
    store: Store
    thinker: Thinker
    mouth: Mouth
    courtesy: Courtesy
    placing: Placing
    guard: LoopGuard
    roster: Roster
    latch: Callable[[], Latch | None]
    lines_in_channel: int
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
        if burst:
            await self._answer(burst)

    async def reply(
        self,
        work: Work,
        text: str,
        *,
        why: str,
        command: str = "",
        settled: bool = False,
        place: Target | None = None,
    ) -> list[Delivery]:
        """Say `text` to who asked: where the network has no replies, short in the channel, longer
        in private with a word in the channel. An agent gets no private lines: what does not fit is
        left out.

        `settled`: the inbox row has ended already. `place`: elsewhere than where it was asked.
        Raises `Refused`, `StorageError`, `Unsaid`.
        """
        lines = [x for x in text.splitlines() if x.strip()]
        here = place_of(work)
        place = place or here

        async def say(target: Target, said: str, *, first_part: int = 0) -> list[Delivery]:
            outgoing = Outgoing(
                target=target,
                text=said,
                hops=work.hops + 1,
                trace_id=work.trace_id,
                inbox_id=None if settled else work.inbox_id,
                answers=work.msgid if target == here else None,
            )
            return await self.mouth.say(
                outgoing, epoch=self.epoch, why=why, command=command, first_part=first_part
            )

        roomy = self.mouth.transports[place.network].has_replies
        if work.said_by is not None:
            lines = lines[: self.lines_in_channel]
        elif roomy:
            # Blank lines and fences are part of what is shown there.
            lines = text.splitlines()
        if place.is_private:
            return await say(place, "\n".join(lines))
        if roomy:
            return await say(place, "\n".join(self._to_nobody(lines)))
        if len(lines) <= self.lines_in_channel:
            return await say(place, "\n".join(self._addressed(work, lines)))
        private = Target.person(work.network, work.sender, work.account)
        deliveries = await say(private, "\n".join(lines))
        if deliveries and deliveries[0].sent:
            word = f"{work.sender}: that takes {len(lines)} lines; you have them in private."
            deliveries += await say(place, word, first_part=len(deliveries))
        return deliveries

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
                await self.thinker.remember(unit, burst[-1], exchanged)
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
            shown.failed = not any(d.sent for d in deliveries)
        self.guard.answered(self._line(last))
        note = note_of(deliveries)
        await self.settle(burst, outcome(deliveries), note, exchanged=exchanged)
        ANSWER_SECONDS.observe(
            (self.clock() - last.heard_at).total_seconds(), {"trace_id": last.trace_id}
        )

    async def _answered(self, burst: list[Work]) -> tuple[list[Delivery], Exchanged | None]:
        last = burst[-1]
        text = "\n".join(self._question(w) for w in burst)[:_LONGEST_QUESTION]
        if is_stop(text):
            return await self.reply(last, "Stopped.", why=f"{last.sender} said stop"), None
        started = self.clock()
        answer = await self.thinker.think(last, text)
        place = await self.placing.for_answer(last, text)
        deliveries = await self.reply(last, answer.text, why=f"{last.sender} asked", place=place)
        return deliveries, Exchanged(text, answer, started)

    def _addressed(self, work: Work, lines: list[str]) -> list[str]:
        """In a channel the first line names who asked, and no other line addresses anybody."""
        first = [f"{work.sender}: {lines[0]}"] if lines else []
        return [*first, *self._to_nobody(lines[1:])]

    def _to_nobody(self, lines: list[str]) -> list[str]:
        return gate.to_nobody(lines, self.roster.everybody())

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
