"""Turns that nobody asked for: every few minutes an agent with a language model looks around, and
acts with a tool or stays silent. What it answers is for the log alone.

Nothing new, no turn: a look that could find nothing costs nothing.
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
from brain.prompting.tokens import estimate
from brain.tools.context import Context
from brain.tools.registry import Toolbox
from storage import inbox, replies, sessions
from storage.errors import StorageError
from storage.latch import Latch
from storage.unit import Unit

#: session that these turns are booked on
SESSION: Final = "heartbeat"
#: tokens of talk of one channel that are shown
_TALK_TOKENS: Final = 800
#: agents do not all look at once
_SPREAD: Final = 0.2


class Looks(Protocol):
    def look(self, look: Look) -> Opened:
        """The opening of such a turn; raises `PromptMissing`."""


@dataclass(frozen=True)
class Looking:
    """`run` while the process lives."""

    thinker: Thinker
    openings: Looks
    #: by network
    transports: Mapping[str, Transport]
    latch: Callable[[], Latch | None]
    rng: random.Random
    log: FilteringBoundLogger

    async def run(self) -> None:
        """Look every `heartbeat.every_s`, until cancelled."""
        every_s = self._settings.heartbeat.every_s
        if not every_s:
            return
        since = self.thinker.clock()
        while True:
            await asyncio.sleep(every_s * self.rng.uniform(1 - _SPREAD, 1 + _SPREAD))
            since = await self.look(since)

    async def look(self, since: datetime) -> datetime:
        """One look at what was said since then; from when the next one has to look."""
        now = self.thinker.clock()
        if self.latch() is not None:
            return since
        try:
            seen = await self.thinker.store.read(lambda unit: self._seen(unit, since, now))
            if seen is None:
                return now
            await self._turn(seen)
        except (Refused, ModelFailed, PromptMissing, StorageError) as error:
            self.log.info("heartbeat.no_turn", why=str(error))
        return now

    async def _seen(self, unit: Unit, since: datetime, now: datetime) -> Look | None:
        """What there is to see; None when nothing was said, and nothing waits."""
        agent, channels = self.thinker.agent, []
        for target in targets_of(self.transports):
            network, _, channel = target.partition(":")
            talk = await sessions.talk(
                unit, network, channel, since=since, tokens=_TALK_TOKENS, size=estimate
            )
            if any(line.agent != agent for line in talk):
                may = await self._may_speak(unit, target, channel, now)
                channels.append(Heard(name=target, may_speak=may, talk=talk))
        if not channels:
            return None
        waiting = len(await inbox.waiting(unit, agent))
        state = [f"{waiting} questions wait for you; they are answered in turns of their own"]
        return Look(now=now, since=since, state=state if waiting else (), channels=channels)

    async def _may_speak(self, unit: Unit, target: str, channel: str, now: datetime) -> bool:
        if self._settings.listen_only(channel):
            return False
        pause = timedelta(seconds=self._settings.heartbeat.proactive_every_s)
        return not await replies.unasked(unit, self.thinker.agent, target, now - pause)

    async def _turn(self, look: Look) -> None:
        thinker, trace_id = self.thinker, secrets.token_hex(8)
        opened = self.openings.look(look)
        question = Question(
            asker=thinker.agent,
            text="",
            place=SESSION,
            channel=None,
            agent=thinker.agent,
            trace_id=trace_id,
            opening=opened.messages,
            occasion=Occasion(
                agent=thinker.agent,
                session=SESSION,
                task=f"heartbeat:{trace_id}",
                trace_id=trace_id,
            ),
        )
        toolbox = Toolbox(await thinker.tools(), self._context(look.channels, trace_id))
        answer = await thinker.loop(toolbox, opened.system).run(question)
        # Silence is never spoken, and neither is anything else: what it did, it did with a tool.
        self.log.info(
            "heartbeat.turn",
            silent=is_silence(answer.text),
            steps=answer.steps,
            cost_nusd=answer.cost_nusd,
            prompt=opened.reference,
            trace_id=trace_id,
        )

    def _context(self, channels: Sequence[Heard], trace_id: str) -> Context:
        thinker, limits = self.thinker, self._settings.limits
        reach = thinker.reach("it looked around by itself", trace_id)
        may = [heard.name for heard in channels if heard.may_speak]
        network = may[0].partition(":")[0] if may else next(iter(self.transports))
        return Context(
            store=thinker.store,
            agent=thinker.agent,
            network=network,
            channel=None,
            asker=thinker.agent,
            asked="",
            now=thinker.clock,
            monotonic=time.monotonic,
            roster=thinker.cards,
            latch=thinker.latch,
            command_prefix=self._settings.irc.command_prefix,
            is_open=thinker.is_open,
            session=SESSION,
            # People may answer such a line, other agents not: nobody had asked for it.
            hops=limits.max_hops - 1,
            max_hops=limits.max_hops,
            targets=lambda: may,
            post_every_s=self._settings.heartbeat.proactive_every_s,
            say=reach.say,
        )

    @property
    def _settings(self) -> Settings:
        return self.thinker.settings
