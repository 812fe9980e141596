"""Telling people, ever louder, that something waits for them: until they decide, or it is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from structlog.typing import FilteringBoundLogger

from bots.insist import insist
from bots.messages import Delivery
from bots.people import steps
from bots.people.notifying import Notice, Notifier
from bots.people.steps import Due, Timing
from bots.rounds import HALTED_S, Rounds
from brain.errors import Refused
from storage import request_notices, requests
from storage.errors import PermitRefused
from storage.latch import Latch
from storage.request import Request
from storage.request_notices import Word
from storage.request_tables import NoticeState, RequestNotice
from storage.store import Store
from storage.unit import Unit

_LOOK_EVERY_S: Final = 10.0
#: what did not leave is tried so often, the pauses growing
_TRIES: Final = 6
_FIRST_PAUSE: Final = timedelta(seconds=20)


class Escalation:
    """`run` until cancelled, in the captain's process alone; `nudge` when something was asked."""

    def __init__(
        self,
        store: Store,
        agent: str,
        sender: str,
        chain: Sequence[tuple[Timing, Callable[[], Notifier | None]]],
        *,
        latch: Callable[[], Latch | None],
        clock: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        """`sender` names this very process; a step whose way is not there yet waits for it."""
        self._store = store
        self._agent = agent
        self._sender = sender
        self._timings = [timing for timing, _ in chain]
        self._ways = [way for _, way in chain]
        self._latch = latch
        self._clock = clock
        self._log = log
        self._rounds = Rounds(_LOOK_EVERY_S, log, "escalation.waits")
        self._has_settled = False

    def nudge(self) -> None:
        """Look now."""
        self._rounds.nudge()

    async def run(self) -> None:
        """Take every step when its time comes."""
        await self._rounds.run(self.look)

    async def look(self) -> float:
        """One round; the seconds until the next one. Raises `StorageError`."""
        if self._latch() is not None:
            return HALTED_S
        if not self._has_settled:
            await self._settle_orphans()
            self._has_settled = True
        now = self._clock()
        waiting, begun = await self._store.read(lambda unit: self._open(unit, now))
        done = {_key(n) for n in begun if not _may_be_sent(n, now)}
        for request in waiting:
            for due in steps.due(self._timings, request.created_at, now):
                await self._take(request, due, done)
        moments = [steps.next_at(self._timings, r.created_at, now) for r in waiting]
        moments += [n.not_before for n in begun if n.state == NoticeState.WAITING]
        return self._rounds.until((at for at in moments if at is not None), self._clock())

    async def _open(self, unit: Unit, now: datetime) -> tuple[list[Request], list[RequestNotice]]:
        """What waits for people, and every word about it so far."""
        pending = await requests.pending(unit, self._agent)
        waiting = [r for r in pending if r.expires_at > now]
        if not waiting:
            return [], []
        return waiting, await request_notices.of_requests(unit, [r.id for r in waiting])

    async def _take(self, request: Request, due: Due, done: set[Word]) -> None:
        notifier = self._ways[due.step]()
        if notifier is None:
            return
        for recipient in notifier.recipients(request):
            word = Word(request_id=request.id, step=due.step, round=due.round, recipient=recipient)
            if word not in done and self._latch() is None:
                await self._tell(notifier, request, word)

    async def _tell(self, notifier: Notifier, request: Request, word: Word) -> None:
        now = self._clock()
        notice = await self._store.write(
            lambda unit: request_notices.begin(unit, word, self._sender, now)
        )
        if notice is None:
            return
        said = Notice(
            request=request,
            recipient=word.recipient,
            key=f"notice.{notice.id}",
            round=word.round,
        )
        try:
            delivery = await notifier.send(said)
        except (Refused, PermitRefused) as error:
            delivery = Delivery(sent=False, proof=str(error), unsaid=True)
        await self._settle(request, notice, delivery)

    async def _settle(self, request: Request, notice: RequestNotice, delivery: Delivery) -> None:
        state, not_before = _state_of(delivery), None
        now = self._clock()
        if state is NoticeState.WAITING:
            not_before = now + _FIRST_PAUSE * 2 ** (notice.tries - 1)
            if notice.tries >= _TRIES:
                state, not_before = NoticeState.FAILED, None

        async def settle(unit: Unit) -> bool:
            return await request_notices.settle(
                unit,
                notice,
                request,
                state=state,
                proof=delivery.proof,
                now=now,
                not_before=not_before,
            )

        # It was said or not: that it is on record may be late, never missing.
        await insist(self._store, settle, self._log)
        self._log.info(
            "request.notice",
            code=request.code,
            recipient=notice.recipient,
            state=str(state),
            proof=delivery.proof,
        )

    async def _settle_orphans(self) -> None:
        """What a dead process was sending may have arrived."""

        async def settle(unit: Unit) -> None:
            for notice in await request_notices.orphans(unit, self._agent, self._sender):
                request = await requests.read(unit, notice.request_id)
                if request is not None:
                    await request_notices.give_up(unit, notice, request, self._clock())

        await self._store.write(settle)


def _key(notice: RequestNotice) -> Word:
    return Word(
        request_id=notice.request_id,
        step=notice.step,
        round=notice.round,
        recipient=notice.recipient,
    )


def _may_be_sent(notice: RequestNotice, now: datetime) -> bool:
    waits = notice.state == NoticeState.WAITING and notice.not_before is not None
    return waits and notice.not_before is not None and notice.not_before <= now


def _state_of(delivery: Delivery) -> NoticeState:
    if delivery.sent:
        return NoticeState.SENT
    if delivery.unknown:
        return NoticeState.UNKNOWN
    return NoticeState.WAITING if delivery.unsaid else NoticeState.FAILED
