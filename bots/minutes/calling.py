"""The captain calls for minutes when they are due: a delegation to the secretary, one a moment.

The moment is the delegation's idempotency key, so whoever calls for the same minutes again, after a
death or at the same time, gets the one there is; it is said once, as every result is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from structlog.typing import FilteringBoundLogger

from bots.delegating.desk import DelegationDesk
from bots.delegating.order import MINUTES, NotGiven, Order
from bots.keys.holding import NoKey
from bots.minutes import schedule
from bots.minutes.schedule import Called, Kind
from bots.settings import Settings
from storage import happenings, postings, project_log
from storage.errors import StorageError
from storage.latch import Latch
from storage.postings import Mark
from storage.unit import Unit

_LOOK_EVERY_S: Final = 5.0
#: a swarm that has just begun is not asked at once what it did
_SETTLE_S: Final = 8.0
#: what nobody can write or say now is tried again after this long
_AGAIN: Final = timedelta(minutes=1)
_DEADLINE: Final = timedelta(hours=12)
_ROLE: Final = "secretary"


@dataclass
class Calling:
    """`run` until cancelled, in the captain's process alone."""

    desk: DelegationDesk
    settings: Settings
    latch: Callable[[], Latch | None]
    clock: Callable[[], datetime]
    log: FilteringBoundLogger
    _not_before: dict[Kind, datetime] = field(default_factory=dict)
    #: key of the newest minutes of which nothing is left to do
    _settled: dict[Kind, str] = field(default_factory=dict)

    async def run(self) -> None:
        """Look every few seconds whether any are due."""
        if not self.settings.posts.enabled:
            return
        await asyncio.sleep(_SETTLE_S)
        while True:
            try:
                await self.look()
            except (StorageError, NoKey) as error:
                self.log.warning("minutes.uncalled", error=str(error))
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self) -> None:
        """Call for what is due. Raises `StorageError`, `NoKey`."""
        if self.latch() is not None:
            return
        for kind, cron, channel in self._wanted():
            called = schedule.due(kind, cron, self.clock())
            if called is not None and self._may(called) and await self._is_owed(called):
                await self._call(called, channel)

    def _wanted(self) -> Iterator[tuple[Kind, str, str]]:
        """What, when and where."""
        minutes, standup = self.settings.minutes, self.settings.standup
        if standup:
            yield Kind.STANDUP, standup, self.settings.posts.standup
        if minutes.notes:
            yield Kind.NOTES, minutes.notes, minutes.channel

    def _may(self, called: Called) -> bool:
        if self._settled.get(called.kind) == called.key:
            return False
        later = self._not_before.get(called.kind)
        return later is None or self.clock() >= later

    async def _is_owed(self, called: Called) -> bool:
        """Nobody has called for them, and there is something to tell. A swarm that has only begun
        owes no stand-up of the time before.
        """
        until = _mark(called)
        async with self.desk.store.reading() as unit:
            posted = await postings.read(unit, _topic(called.kind))
            if posted.mark is not None and posted.mark["until"] >= until["until"]:
                self._settled[called.kind] = called.key
                return False
            is_news = await self._is_news(unit, called, is_first=posted.mark is None)
        if not is_news:
            await self._reached(called)
        return is_news

    async def _is_news(self, unit: Unit, called: Called, *, is_first: bool) -> bool:
        if called.kind is Kind.STANDUP:
            # Of a swarm that anybody has asked since, people hear at once how it will tell of it.
            return not is_first or bool(await happenings.days(unit, called.begin, self.clock()))
        return bool(await project_log.since(unit, called.begin, called.end))

    async def _call(self, called: Called, channel: str) -> None:
        order = Order(
            to=self._secretary(),
            kind=MINUTES,
            instruction=str(called),
            asked_by=MINUTES,
            deliver_to=channel,
            may_name_place=False,
            deadline=_DEADLINE,
            idempotency_key=called.key,
        )
        try:
            given = await self.desk.give(order)
        except NotGiven as error:
            self.log.info("minutes.not_called", what=str(called), why=str(error))
            self._not_before[called.kind] = self.clock() + _AGAIN
            return
        await self._reached(called)
        self.log.info("minutes.called", what=str(called), code=given.code, by=given.agent)

    def _secretary(self) -> str:
        """The agent with that role, if it may be asked; else the captain itself."""
        for agent in self.settings.agents:
            may = self.desk.authority.may_give(self.desk.agent, agent.name)
            if agent.role == _ROLE and may and self.desk.latch(agent.name) is None:
                return agent.name
        return self.desk.agent

    async def _reached(self, called: Called) -> None:
        now = self.clock()

        async def reach(unit: Unit) -> None:
            await postings.reach(unit, _topic(called.kind), _mark(called), now)

        await self.desk.store.write(reach)
        self._settled[called.kind] = called.key


def _topic(kind: Kind) -> str:
    return f"minutes:{kind}"


def _mark(called: Called) -> Mark:
    return {"until": called.end.isoformat()}
