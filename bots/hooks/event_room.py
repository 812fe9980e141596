"""Events, subscriptions and knowledge by HTTP, for who has the hooks' token.

``GET /events``, ``GET|POST /subscriptions``, ``DELETE /subscriptions/{id}``, ``GET|POST
/knowledge``. docs/EVENTS.md tells callers of it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from bots.events.quiet import QuietError, QuietHours, is_zone
from bots.hooks import body
from bots.hooks.callers import Callers
from bots.hooks.fields import Fields, bad
from bots.hooks.refusal import Refused
from bots.hooks.refusals import CALLER
from storage import deliveries, events, knowledge, subscriptions
from storage.event_tables import Event, Knowledge, Subscription
from storage.knowledge import Finding, Full
from storage.latch import Latch
from storage.store import Store
from storage.subscriptions import LONGEST_BATCH_S, TooMany, Wanted
from storage.topics import PatternError, pattern_of
from storage.unit import Unit

Work = Callable[[web.Request, str], Awaitable[web.Response]]

#: who can be told by HTTP; a nick is vouched for by nobody here
RECEIVER: Final = r"(agent:[a-z0-9_-]{1,40}|discord:user:[0-9]{1,20}|(irc|discord):[#&][!-~]{1,80})"
SPAN: Final = r"([01]?[0-9]|2[0-3]):[0-5][0-9]-([01]?[0-9]|2[0-3]):[0-5][0-9]"
MOST: Final = 500
USUAL: Final = 100
#: of a number in the store
LARGEST: Final = 2**31 - 1
LONGEST_QUERY: Final = 500
LONGEST_TITLE: Final = 120
LONGEST_FINDING: Final = 2_000
LONGEST_SOURCE: Final = 300
USUAL_BATCH_S: Final = 5.0


@dataclass(frozen=True)
class EventRoom:
    """These routes of one agent's door."""

    agent: str
    #: every agent of the swarm
    agents: tuple[str, ...]
    body_bytes: int
    store: Store
    callers: Callers
    latch: Callable[[str], Latch | None]
    #: hides secrets in what is kept
    clean: Callable[[str], str]
    clock: Callable[[], datetime]

    def routes(self) -> Iterable[tuple[str, str, Work]]:
        """Method, path, and what answers; it raises `Refused` and `StorageError`."""
        yield "GET", "/events", self._events
        yield "GET", "/subscriptions", self._subscriptions
        yield "POST", "/subscriptions", self._subscribe
        yield "DELETE", "/subscriptions/{id}", self._unsubscribe
        yield "GET", "/knowledge", self._search
        yield "POST", "/knowledge", self._publish

    async def _events(self, request: web.Request, trace_id: str) -> web.Response:
        asked = await self._asked(request, "since", "topic", "limit")
        topic = _topic(asked.get("topic", "*"))
        since = _whole(asked, "since", 0, least=0, most=LARGEST)
        limit = _whole(asked, "limit", USUAL, least=1, most=MOST)
        found, last = await self.store.read(lambda unit: events.since(unit, since, topic, limit))
        return web.json_response({"events": [_event(one) for one in found], "next": last})

    async def _subscriptions(self, request: web.Request, trace_id: str) -> web.Response:
        asked = await self._asked(request, "receiver")
        receiver = asked.get("receiver")
        if receiver is not None and len(receiver) > LONGEST_QUERY:
            raise bad("receiver", "is too long")

        async def work(unit: Unit) -> list[dict[str, Any]]:
            return [
                _subscription(one, await deliveries.counts(unit, one.receiver))
                for one in await subscriptions.of(unit, receiver)
            ]

        return web.json_response({"subscriptions": await self.store.read(work)})

    async def _subscribe(self, request: web.Request, trace_id: str) -> web.Response:
        given = Fields(
            await self._given(request), ("receiver", "topic", "quiet", "zone", "batch_s"), {}
        )
        wanted = self._wanted(given, request[CALLER])

        async def work(unit: Unit) -> dict[str, Any]:
            now = self.clock()
            number = await subscriptions.add(
                unit, wanted, by=self.agent, now=now, trace_id=trace_id
            )
            made = await subscriptions.by_id(unit, number)
            assert made is not None
            return _subscription(made, await deliveries.counts(unit, made.receiver))

        try:
            return web.json_response(await self.store.write(work))
        except TooMany as error:
            raise Refused("full", str(error)) from None

    async def _unsubscribe(self, request: web.Request, trace_id: str) -> web.Response:
        await self._asked(request)
        self._require_alive()
        spelled = request.match_info["id"]
        number = int(spelled) if re.fullmatch(r"[0-9]{1,10}", spelled) else 0
        caller = request[CALLER]

        async def work(unit: Unit) -> Subscription | None:
            found = None
            if 0 < number <= LARGEST:
                found = await subscriptions.by_id(unit, number)
            if found is not None:
                by, now = self.agent, self.clock()
                await subscriptions.end(
                    unit, found, by=by, made_by=caller, now=now, trace_id=trace_id
                )
            return found

        ended = await self.store.write(work)
        if ended is None:
            raise Refused("unknown_subscription", "there is no such subscription")
        return web.json_response({"id": ended.id, "receiver": ended.receiver, "topic": ended.topic})

    async def _search(self, request: web.Request, trace_id: str) -> web.Response:
        asked = await self._asked(request, "q", "limit")
        words = asked.get("q", "")
        if len(words) > LONGEST_QUERY:
            raise bad("q", f"has more than {LONGEST_QUERY} characters")
        limit = _whole(asked, "limit", 10, least=1, most=MOST)
        found = await self.store.read(lambda unit: knowledge.find(unit, words, limit))
        return web.json_response({"knowledge": [_finding(one) for one in found]})

    async def _publish(self, request: web.Request, trace_id: str) -> web.Response:
        known = ("title", "text", "topic", "source", "confidence")
        given = Fields(await self._given(request), known, {})
        confidence = given.number("confidence", 0, 1)
        if confidence is None:
            raise bad("confidence", "is missing: from 0, a guess, to 1, checked")
        finding = Finding(
            agent=request[CALLER],
            title=self._line(given.required("title", LONGEST_TITLE)),
            text=self.clean(given.required("text", LONGEST_FINDING)),
            topic=self._line(given.text("topic", LONGEST_TITLE)),
            source=self._line(given.required("source", LONGEST_SOURCE)),
            confidence=confidence,
            trace_id=trace_id,
        )

        async def work(unit: Unit) -> dict[str, Any]:
            made = await knowledge.publish(unit, finding, self.clock())
            found = await knowledge.by_id(unit, made.id)
            assert found is not None
            return _finding(found) | {"instead_of": made.instead_of}

        try:
            return web.json_response(await self.store.write(work))
        except Full as error:
            raise Refused("full", str(error)) from None

    def _wanted(self, given: Fields, caller: str) -> Wanted:
        receiver = given.required("receiver", 200)
        if re.fullmatch(RECEIVER, receiver) is None:
            raise bad("receiver", "must be agent:NAME, discord:user:45, irc:#reports or the like")
        kind, _, name = receiver.partition(":")
        if kind == "agent" and name not in self.agents:
            raise Refused("unknown_agent", f"there are {', '.join(self.agents)}")
        span, zone = given.text("quiet", 20), given.text("zone", 60)
        if zone and not is_zone(zone):
            raise Refused("unknown_zone", f"there is no time zone {zone!r}: as in Europe/Berlin")
        quiet = _quiet(span, zone) if span else None
        batch_s = given.number("batch_s", 0, LONGEST_BATCH_S)
        # Channels are kept as the record names them.
        receiver = receiver.lower()
        return Wanted(
            receiver=receiver,
            topic=_topic(given.required("topic", 200)),
            address="" if kind == "agent" else receiver,
            made_by=caller,
            quiet_from=f"{quiet.begin:%H:%M}" if quiet else "",
            quiet_until=f"{quiet.end:%H:%M}" if quiet else "",
            zone=quiet.zone if quiet else "",
            batch_s=int(USUAL_BATCH_S if batch_s is None else batch_s),
        )

    def _line(self, text: str) -> str:
        return self.clean(" ".join(text.split()))

    async def _asked(self, request: web.Request, *known: str) -> Mapping[str, str]:
        """Who asks is known, and so is all that is in the address."""
        await self.callers.identify(request, "read")
        for name in request.query:
            if name not in known:
                raise Refused("unknown_field", f"there is no parameter {name[:60]!r}")
            if len(request.query.getall(name)) > 1:
                raise bad(name, "is there twice")
        return request.query

    async def _given(self, request: web.Request) -> dict[str, Any]:
        """The body of somebody who has the token, to an agent that may act."""
        await self._asked(request)
        self._require_alive()
        return body.object_in(await body.read(request, self.body_bytes))

    def _require_alive(self) -> None:
        latch = self.latch(self.agent)
        if latch is not None:
            raise Refused("killed", f"{self.agent} was {latch.told}")


def _topic(text: str) -> str:
    try:
        pattern = pattern_of(text)
    except PatternError as error:
        raise bad("topic", f"is no topic: {error}") from None
    if pattern != text:
        raise bad("topic", f"is written {pattern}")
    return pattern


def _quiet(span: str, zone: str) -> QuietHours:
    try:
        return QuietHours.parse(span, zone)
    except QuietError as error:
        raise bad("quiet", f"is no span of hours: {error}") from None


def _whole(asked: Mapping[str, str], name: str, usual: int, *, least: int, most: int) -> int:
    spelled = asked.get(name)
    if spelled is None:
        return usual
    number = int(spelled) if re.fullmatch(r"[0-9]{1,12}", spelled) else -1
    if not least <= number <= most:
        raise bad(name, f"must be a whole number from {least} to {most}")
    return number


def _event(one: Event) -> dict[str, Any]:
    return {
        "number": one.number,
        "topic": one.topic,
        "agent": one.agent,
        "text": one.text,
        "ref": one.ref,
        "at": one.at.isoformat(),
        "trace_id": one.trace_id,
    }


def _subscription(one: Subscription, states: deliveries.Counts) -> dict[str, Any]:
    quiet = QuietHours.of_row(one.quiet_from, one.quiet_until, one.zone)
    mine = states.get(one.id or 0, {})
    return {
        "id": one.id,
        "receiver": one.receiver,
        "topic": one.topic,
        "made_by": one.made_by,
        "quiet": str(quiet) if quiet else None,
        "batch_s": one.batch_s,
        "created_at": one.created_at.isoformat(),
        "unread": sum(mine.get(state, 0) for state in deliveries.KEPT),
        "trouble": one.trouble or None,
    }


def _finding(one: Knowledge) -> dict[str, Any]:
    return {
        "id": one.id,
        "by": one.agent,
        "title": one.title,
        "text": one.text,
        "topic": one.topic,
        "source": one.source,
        "confidence": one.confidence,
        "published_at": one.published_at.isoformat(),
    }
