"""Turns that nobody asked for: every few minutes an agent with a language model looks around, and
acts with a tool or stays silent. What it answers is said nowhere. Events that it subscribed to and
has not read are shown too.

Nothing new, no turn: a look that could find nothing costs nothing. Nor is an agent asked that could
say nothing where something is new; that waits until it may.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from structlog.typing import FilteringBoundLogger

from bots.answering.news import Newness, News
from bots.answering.opening import Opened
from bots.answering.reaching import targets_of
from bots.answering.thinker import Thinker
from bots.settings import Settings
from bots.transport import Transport
from brain.errors import ModelFailed, PromptMissing, Refused
from brain.loop import Question
from brain.model import Occasion
from brain.prompting.scene import Heard, Look
from brain.prompting.silence import is_silence
from brain.prompting.tokens import estimate, windows
from brain.tools.context import Context
from brain.tools.registry import Toolbox
from brain.tools.subscribing import SHOWN, told
from storage import deliveries, inbox, record, replies, sessions
from storage.deliveries import Notice
from storage.errors import StorageError
from storage.latch import Latch
from storage.subscriptions import receiver_of
from storage.unit import Unit

#: session that these turns are booked on; that of a channel that is shown alone has its name behind
SESSION: Final = "heartbeat"
#: tokens of talk of one channel that are shown
_TALK_TOKENS: Final = 800
#: agents do not all look at once
_SPREAD: Final = 0.2


class Looks(Protocol):
    def look(self, look: Look) -> Opened:
        """The opening of such a turn; raises `PromptMissing`."""


@dataclass(frozen=True, kw_only=True)
class View:
    """What one look shows."""

    shown: tuple[Newness, ...]
    #: everybody may read it
    is_open: bool
    look: Look
    #: where it may speak
    targets: tuple[str, ...]
    #: events that are read by this look
    unread: tuple[Notice, ...] = ()

    @property
    def session(self) -> str:
        return SESSION if self.is_open else f"{SESSION}:{self.shown[0].target}"


class Looking:
    """`run` while the process lives."""

    def __init__(
        self,
        thinker: Thinker,
        openings: Looks,
        transports: Mapping[str, Transport],
        *,
        latch: Callable[[], Latch | None],
        rng: random.Random,
        log: FilteringBoundLogger,
    ) -> None:
        """`transports` are by network; `latch` is the one that kills this agent."""
        self._thinker = thinker
        self._openings = openings
        self._transports = transports
        self._latch = latch
        self._rng = rng
        self._log = log
        self._settings: Settings = thinker.settings
        self._news = News(thinker.clock())
        #: newest event that a look failed over: it stays unread
        self._last_event = 0
        self._at_work: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Look every `heartbeat.every_s`, until cancelled."""
        if not self._settings.heartbeat.every_s:
            return
        await asyncio.sleep(self.pause_s(is_first=True))
        while True:
            await self.look()
            await asyncio.sleep(self.pause_s())

    def pause_s(self, *, is_first: bool = False) -> float:
        """Until the next look: agents that were started together part at the first one."""
        least = _SPREAD if is_first else 1 - _SPREAD
        most = 1 if is_first else 1 + _SPREAD
        return self._settings.heartbeat.every_s * self._rng.uniform(least, most)

    def hush(self) -> None:
        """End the turn that is under way, at once."""
        if self._at_work is not None:
            self._at_work.cancel()

    async def look(self) -> None:
        """Look once."""
        task = self._at_work = asyncio.create_task(self._look())
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            # Whoever is cancelled himself leaves nothing behind.
            await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled():
            task.result()

    async def _look(self) -> None:
        if self._latch() is not None:
            return
        now = self._thinker.clock()
        try:
            async with self._thinker.store.reading() as unit:
                view = await self._view(unit, now)
            if view is None:
                return
            try:
                await self._turn(view)
                if view.unread:
                    await self._thinker.store.write(
                        lambda unit: deliveries.read(unit, view.unread, now)
                    )
            except ModelFailed as error:
                # It may have been billed: what cannot be thought about is not shown again.
                self._log.info("heartbeat.no_turn", why=str(error))
                self._last_event = max([self._last_event, *(one.id for one in view.unread)])
        except (Refused, PromptMissing, StorageError) as error:
            self._log.info("heartbeat.no_turn", why=str(error))
            return
        self._news.looked(view.shown, is_open=view.is_open, now=now)

    async def _view(self, unit: Unit, now: datetime) -> View | None:
        """What there is to see; None when nothing is new where it may speak."""
        agent, news = self._thinker.agent, self._news
        news.sit_in(self._places(), now)
        spoken = await record.spoken(unit, news.since)
        found = news.new({f"{n}:{channel}": at for (n, channel), at in spoken.items()}, now)
        may = [one for one in found if await self._may_speak(unit, one.target, now)]
        shown = news.together(may, self._is_open)
        unread, _ = await deliveries.unread(unit, receiver_of(agent), SHOWN, after=self._last_event)
        if not shown and not unread:
            return None
        waiting = len(await inbox.waiting(unit, agent))
        state = [f"{waiting} questions wait for you; they are answered in turns of their own"]
        look = Look(
            now=now,
            since=news.looked_at,
            state=state if waiting else (),
            events=[told(one, now) for one in unread],
            channels=[await self._heard(unit, one, len(shown)) for one in shown],
        )
        return View(
            shown=shown,
            is_open=not shown or self._is_open(shown[0].target),
            look=look,
            targets=tuple(one.target for one in shown) or await self._open_places(unit, now),
            unread=tuple(unread),
        )

    async def _open_places(self, unit: Unit, now: datetime) -> tuple[str, ...]:
        """Where it may speak of what everybody may read."""
        open_ones = filter(self._is_open, self._places())
        return tuple([t for t in open_ones if await self._may_speak(unit, t, now)])

    def _places(self) -> Sequence[str]:
        """Where it sits and may speak at all."""
        there = targets_of(self._transports)
        return [t for t in there if not self._settings.listen_only(t.partition(":")[2])]

    def _is_open(self, target: str) -> bool:
        network, _, channel = target.partition(":")
        return self._thinker.is_open(network, channel)

    async def _may_speak(self, unit: Unit, target: str, now: datetime) -> bool:
        pause = timedelta(seconds=self._settings.heartbeat.proactive_every_s)
        agent = self._thinker.agent
        return await replies.last_unasked(unit, agent, target, now - pause) is None

    async def _heard(self, unit: Unit, one: Newness, of: int) -> Heard:
        network, _, channel = one.target.partition(":")
        # There is no history in such a turn: its room is the talk's.
        can = self._thinker.model.capabilities
        room = windows(can.context_tokens, has_tools=can.tools).history // of
        talk = await sessions.talk(
            unit,
            network,
            channel,
            since=one.after + timedelta.resolution,
            tokens=min(_TALK_TOKENS, room),
            size=estimate,
        )
        return Heard(name=one.target, talk=talk)

    async def _turn(self, view: View) -> None:
        thinker, trace_id = self._thinker, secrets.token_hex(8)
        opened = self._openings.look(view.look)
        question = Question(
            asker=thinker.agent,
            text="",
            place=view.session,
            channel=None,
            agent=thinker.agent,
            trace_id=trace_id,
            opening=opened.messages,
            occasion=Occasion(
                agent=thinker.agent,
                session=view.session,
                task=f"heartbeat:{trace_id}",
                trace_id=trace_id,
            ),
        )
        toolbox = Toolbox(await thinker.tools(), self._context(view, trace_id))
        answer = await thinker.loop(toolbox, opened.system).run(question)
        # Silence is never spoken, and neither is anything else: what it did, it did with a tool.
        self._log.info(
            "heartbeat.turn",
            silent=is_silence(answer.text),
            steps=answer.steps,
            cost_nusd=answer.cost_nusd,
            prompt=opened.reference,
            trace_id=trace_id,
        )

    def _context(self, view: View, trace_id: str) -> Context:
        thinker, limits = self._thinker, self._settings.limits
        reach = thinker.reach("it looked around by itself", trace_id)
        may = view.targets
        return Context(
            store=thinker.store,
            agent=thinker.agent,
            network=may[0].partition(":")[0] if may else next(iter(self._transports), ""),
            channel=None,
            asker=thinker.agent,
            asked="",
            now=thinker.clock,
            monotonic=time.monotonic,
            roster=thinker.cards,
            latch=thinker.latch,
            command_prefix=self._settings.irc.command_prefix,
            is_open=thinker.is_open,
            clean=thinker.clean,
            reaches_out=view.is_open,
            trace_id=trace_id,
            session=view.session,
            # People may answer such a line, other agents not: nobody had asked for it.
            hops=limits.max_hops - 1,
            max_hops=limits.max_hops,
            targets=lambda: may,
            post_every_s=self._settings.heartbeat.proactive_every_s,
            say=reach.say,
        )
