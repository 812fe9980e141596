"""What the browser reads: whole pages, one view of a page, older messages, and the stream of
changes (server-sent events, WHATWG HTML, section 9.2).
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from bots.console.house import HOUSE, House, Visitor
from bots.console.model import Change, Channel
from bots.console.numbers import number
from bots.console.pages import WAITING, Pages
from bots.console.rest import Refused

#: a browser that hears nothing for longer says that it is not connected
BEAT_S = 5.0
_ARRIVAL_S = 3.0

Patch = dict[str, Any]


def routes() -> list[web.RouteDef]:
    return [
        web.get("/", _front),
        web.get("/c/{view:\\d+}", _page),
        web.get("/{view:waiting}", _page),
        web.get("/older/{view:\\d+}/{before:\\d+}", _older),
        web.get("/events", _events),
        web.get("/here", _here),
    ]


async def _front(request: web.Request) -> web.Response:
    """To the first channel; `?user=NAME` acts as somebody else from now on."""
    house, visitor = request.app[HOUSE], _visitor(request)
    if "user" in request.query:
        response = web.Response(status=302, headers={"Location": "/"})
        if request.query["user"] in house.users:
            house.remember(response, request.query["user"])
        return response
    await visitor.person.arrived(_ARRIVAL_S)
    first = visitor.person.guild.first_channel()
    where = f"/c/{first.id}" if first else "/waiting"
    return web.Response(status=302, headers={"Location": where})


async def _page(request: web.Request) -> web.Response:
    """A whole page, or with `?part=main` the view alone as JSON."""
    visitor, view = _visitor(request), request.match_info["view"]
    await visitor.person.arrived(_ARRIVAL_S)
    channel = _channel(visitor, view) if view != WAITING else None
    if view != WAITING and channel is None:
        if "part" in request.query:
            return web.json_response({"error": "This channel is gone."}, status=409)
        return web.Response(status=302, headers={"Location": "/"})
    if channel is not None:
        try:
            await visitor.person.load(channel)
        except Refused:
            # shown empty, below the bar that says that there is no connection
            channel.complete = False
    await request.app[HOUSE].control.glance()
    pages = Pages(request.app[HOUSE], visitor, view)
    if request.query.get("part") == "main":
        told = {"html": pages.main(), "title": pages.title, "view": view, "from": pages.start}
        return web.json_response(told)
    theme = request.cookies.get("parley_theme", "")
    html = pages.page(theme if theme in ("dark", "light") else "", secrets.token_hex(6))
    return web.Response(text=html, content_type="text/html")


async def _older(request: web.Request) -> web.Response:
    """Messages before one, as HTML, and whether there are more."""
    visitor, view = _visitor(request), request.match_info["view"]
    channel = _channel(visitor, view)
    if channel is None:
        raise web.HTTPNotFound
    try:
        found = await visitor.person.older(channel, number(request.match_info["before"]))
    except Refused as error:
        return web.json_response({"error": str(error)}, status=409)
    html = Pages(request.app[HOUSE], visitor, view).messages(channel, found)
    more = bool(found) and not (channel.complete and _first(channel) >= int(found[0]["id"]))
    return web.json_response({"html": html, "more": more})


async def _here(request: web.Request) -> web.Response:
    """For a browser whose stream was refused: whether the login still holds."""
    return web.json_response({})


def _first(channel: Channel) -> int:
    return next(iter(channel.messages), 0)


async def _events(request: web.Request) -> web.StreamResponse:
    """Every change of a view after `from`, or after the browser's Last-Event-ID."""
    house, visitor = request.app[HOUSE], _visitor(request)
    stream = _Stream(house, visitor, request.query.get("view", WAITING))
    start = request.headers.get("Last-Event-ID") or request.query.get("from", "")
    epoch, _, revision = start.partition(".")
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    await response.prepare(request)
    known = epoch == visitor.person.epoch and revision.isdecimal()
    at = number(revision) if known else -1
    page = request.query.get("page") or secrets.token_hex(6)
    with house.control.watched(), house.streams.of(page) as over:
        closing = asyncio.ensure_future(over.wait())
        try:
            while not over.is_set():
                text, at = await _next(stream, visitor, at, page, closing)
                await response.write(text.encode())
        except ConnectionError:
            # the browser went away
            return response
        finally:
            closing.cancel()
    return response


async def _next(
    stream: _Stream, visitor: Visitor, at: int, page: str, closing: asyncio.Future[Any]
) -> tuple[str, int]:
    """The text of the next event, and the revision that the browser then knows."""
    if at < 0:
        return "event: reload\ndata: {}\n\n", visitor.person.revision
    news = asyncio.ensure_future(visitor.person.after(at))
    await asyncio.wait({news, closing}, timeout=BEAT_S, return_when=asyncio.FIRST_COMPLETED)
    if closing.done() or not news.done():
        news.cancel()
        return "event: beat\ndata: {}\n\n", at
    found = news.result()
    if found is None:
        return "event: reload\ndata: {}\n\n", visitor.person.revision
    revision, changes = found
    patches = stream.patches(changes, page)
    mark = f"{visitor.person.epoch}.{revision}"
    return f"id: {mark}\nevent: patch\ndata: {json.dumps(patches)}\n\n", revision


class _Stream:
    """Draws the changes for one open page; what looks as before is not sent again."""

    def __init__(self, house: House, visitor: Visitor, view: str) -> None:
        self._pages = Pages(house, visitor, view)
        self._person = visitor.person
        self._view = view
        self._drawn: dict[str, str] = {}

    def patches(self, changes: Sequence[Change], page: str) -> list[Patch]:
        """In the order in which the browser is to carry them out."""
        what: set[str] = {c.what for c in changes}
        again = "everything" in what or self._is_gone(changes)
        found: list[Patch] = []
        if not again:
            found += [patch for change in changes for patch in self._messages(change)]
        if "everything" in what:
            what |= {"channels", "members", "swarm", "link"}
        found += self._sides(what)
        found += self._middle(what, changes)
        if "modal" in what and page in self._person.modals:
            found.append({"modal": self._pages.modal(self._person.modals.pop(page))})
        if again:
            # the view itself is asked for anew
            found.append({"refresh": True})
        return found

    def _sides(self, what: set[str]) -> list[Patch]:
        found: list[Patch] = []
        if what & {"channels", "members", "message"}:
            found += self._part("channels", self._pages.side())
        if what & {"members", "swarm"}:
            found += self._part("members", self._pages.members())
        if what & {"swarm", "link"}:
            found += self._part("top", self._pages.top())
        if what & {"swarm", "link"} or ("message" in what and self._pages.killed):
            found += self._part("panel", self._pages.panel())
        return found

    def _middle(self, what: set[str], changes: Sequence[Change]) -> list[Patch]:
        channel, found = self._pages.channel, list[Patch]()
        if channel is None:
            return found
        if what & {"members", "swarm"} or Change("channel", channel.id) in changes:
            found += self._part("head", self._pages.head())
        if what & {"typing", "message"}:
            found += self._part("typing", self._pages.typing())
        return found

    def _is_gone(self, changes: Sequence[Change]) -> bool:
        """Whether the channel that is shown was deleted."""
        return self._pages.channel is None and Change("channel", number(self._view)) in changes

    def _messages(self, change: Change) -> list[Patch]:
        if change.what != "message":
            return []
        if self._view != WAITING and change.channel_id != number(self._view):
            return []
        channel = self._person.guild.channels.get(change.channel_id)
        one = channel.messages.get(change.message_id) if channel else None
        patch: Patch = {"message": str(change.message_id), "html": None}
        if channel is None or one is None:
            return [patch]
        if self._view == WAITING and not self._pages.waits(one):
            return [patch]
        return [patch | {"html": self._pages.message(channel, one)}]

    def _part(self, name: str, html: str) -> list[Patch]:
        if self._drawn.get(name) == html:
            return []
        self._drawn[name] = html
        return [{"part": name, "html": html}]


def _visitor(request: web.Request) -> Visitor:
    visitor: Visitor = request["visitor"]
    return visitor


def _channel(visitor: Visitor, view: str) -> Channel | None:
    return visitor.person.guild.channels.get(number(view))
