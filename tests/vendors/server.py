"""The stub as a server on the loopback; each wire format is mounted at its path.

    async with serving(Script(Say("Hello."))) as stub:
        client = AsyncAnthropic(api_key="k", base_url=stub.url)
        client = AsyncOpenAI(api_key="k", base_url=stub.openai_url)

For tests in another process: ``GET /stub/bill``, ``GET /stub/requests``, and
``PUT /stub/failing/MODEL`` with a status as body (``DELETE`` mends it).
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.vendors import model_lists
from tests.vendors.anthropic_wire import MESSAGES
from tests.vendors.chat_wire import CHAT
from tests.vendors.responses_wire import RESPONSES
from tests.vendors.script import Asked, Cut, Fail, Malformed, Say, Script, Slow, Step, usage_of
from tests.vendors.wire import Event, Wire

#: every format that is spoken
WIRES: tuple[Wire, ...] = (MESSAGES, RESPONSES, CHAT)
#: a conversation may carry a tool's ten megabytes
_LONGEST_BODY = 64 * 1024 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Stub:
    script: Script
    port: int
    _runner: web.AppRunner

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def connections(self) -> int:
        """Sockets that are open, idle ones of pools included."""
        server = self._runner.server
        return len(server.connections) if server else 0


@asynccontextmanager
async def serving(
    script: Script, port: int = 0, wires: Iterable[Wire] = WIRES
) -> AsyncIterator[Stub]:
    """A stub that listens on 127.0.0.1, on any free port when `port` is 0."""
    app = web.Application(client_max_size=_LONGEST_BODY)
    app.add_routes([web.post(wire.path, _answering(script, wire)) for wire in wires])
    app.add_routes([web.get(model_lists.PATH, _listing(script)), *_steering(script)])
    # Cancelled as soon as the client's socket closes: that is how a script knows.
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        yield Stub(script, runner.addresses[0][1], runner)
    finally:
        await runner.cleanup()


def _listing(script: Script) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        status, body = model_lists.listed(script, request.headers, request.query)
        return web.json_response(body, status=status)

    return handle


def _answering(script: Script, wire: Wire) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        asked = wire.asked(request.headers, await request.json())
        async with script.taking(asked):
            step = _refusal(script, wire, asked) or script.step(asked)
            return await _Delivery(request, script, wire, asked).deliver(step)

    return handle


def _refusal(script: Script, wire: Wire, asked: Asked) -> Fail | None:
    """What any request meets before its content counts."""
    if not asked.key or (script.keys is not None and asked.key not in script.keys):
        return wire.wrong_key()
    if asked.model in script.failing:
        return Fail(script.failing[asked.model])
    if script.models is not None and asked.model not in script.models:
        return wire.no_such_model(asked.model)
    complaint = wire.complaint(asked)
    return Fail(400, complaint) if complaint else None


class _Delivery:
    """One answer on its way."""

    def __init__(self, request: web.Request, script: Script, wire: Wire, asked: Asked) -> None:
        self._request = request
        self._script = script
        self._wire = wire
        self._asked = asked
        self._between_s = 0.0

    async def deliver(self, step: Step) -> web.StreamResponse:
        if isinstance(step, Slow):
            self._between_s = step.between_s
            await asyncio.sleep(step.before_s)
            step = step.step
        if isinstance(step, Malformed):
            kind = "text/event-stream" if self._asked.streams else "application/json"
            return web.Response(text=step.raw, content_type=kind)
        if isinstance(step, Fail) and not (step.amid and self._asked.streams):
            return self._error(step)
        return await (self._streamed(step) if self._asked.streams else self._plain(step))

    async def _streamed(self, step: Say | Fail | Cut) -> web.StreamResponse:
        match step:
            case Say():
                return await self._stream(step)
            case Cut():
                return await self._stream(step.say, cut=step)
            case Fail():
                return await self._stream(step.amid or Say(), instead=step)

    async def _plain(self, step: Say | Fail | Cut) -> web.StreamResponse:
        match step:
            case Say():
                return self._whole(step)
            case Cut():
                return await self._half(step)
            case Fail():
                return self._error(step)

    def _error(self, fail: Fail) -> web.Response:
        text = fail.body if fail.body is not None else json.dumps(self._wire.error(fail))
        headers = self._wire.error_headers(fail)
        return web.Response(
            status=fail.status, text=text, headers=headers, content_type="application/json"
        )

    def _whole(self, say: Say) -> web.Response:
        tokens = usage_of(self._asked, say)
        self._script.book(self._asked, tokens)
        return web.json_response(self._wire.whole(self._asked, say, tokens))

    async def _half(self, cut: Cut) -> web.StreamResponse:
        """The first characters of a body that promised to be longer."""
        body = json.dumps(self._wire.whole(self._asked, cut.say, usage_of(self._asked, cut.say)))
        response = web.StreamResponse(headers={"content-type": "application/json"})
        response.content_length = len(body.encode())
        await response.prepare(self._request)
        await response.write(body[: cut.after_characters].encode())
        self._hang_up()
        return response

    async def _stream(
        self, say: Say, *, cut: Cut | None = None, instead: Fail | None = None
    ) -> web.StreamResponse:
        """All events of `say`; or those before the cut; or, where its report would be, an error."""
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(self._request)
        tokens = usage_of(self._asked, say)
        written = 0
        for event in self._wire.events(self._asked, say, tokens):
            written += event.characters
            if cut and (written > cut.after_characters or event.reports):
                if not cut.politely:
                    self._hang_up()
                return response
            if instead and event.reports:
                await response.write(_on_the_wire(self._wire.error_event(instead)))
                return response
            if event.reports:
                self._script.book(self._asked, tokens)
            await response.write(_on_the_wire(event))
            if event.characters:
                self._asked.begun.set()
                await asyncio.sleep(self._between_s)
        return response

    def _hang_up(self) -> None:
        """End the connection without an end of the body; what was written still goes out."""
        if self._request.transport is not None:
            self._request.transport.close()


def _on_the_wire(event: Event) -> bytes:
    data = event.data if isinstance(event.data, str) else json.dumps(event.data)
    name = f"event: {event.name}\n" if event.name else ""
    return f"{name}data: {data}\n\n".encode()


def _steering(script: Script) -> list[web.RouteDef]:
    """How another process reads and steers the stub."""

    async def bill(_: web.Request) -> web.Response:
        return web.json_response({m: dataclasses.asdict(t) for m, t in script.bill.items()})

    async def requests(_: web.Request) -> web.Response:
        return web.json_response([_shown(asked) for asked in script.requests])

    async def fail(request: web.Request) -> web.Response:
        script.failing[request.match_info["model"]] = int(await request.text())
        return web.Response(status=204)

    async def mend(request: web.Request) -> web.Response:
        script.failing.pop(request.match_info["model"], None)
        return web.Response(status=204)

    return [
        web.get("/stub/bill", bill),
        web.get("/stub/requests", requests),
        web.put("/stub/failing/{model}", fail),
        web.delete("/stub/failing/{model}", mend),
    ]


def _shown(asked: Asked) -> dict[str, Any]:
    return {
        "wire": asked.wire,
        "model": asked.model,
        "headers": dict(asked.headers),
        "body": asked.body,
        "closed": asked.closed.is_set(),
        "answered": asked.answered.is_set(),
        "billed": dataclasses.asdict(asked.billed),
    }
