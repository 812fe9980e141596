"""Between the transport and the sandbox's REST API: does to a request what the test says."""

from __future__ import annotations

import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Self

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.integration.sandbox.stage import Sandbox


class Rude:
    """Every POST of a message takes the next word of `script`: ``pass``, a status such as ``500``
    or ``429``, ``cut`` (the connection dies before the server hears it), ``swallow`` (it dies after
    the server has done it). An empty script passes all.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._to = f"http://127.0.0.1:{sandbox.port}"
        self.script: deque[str] = deque()
        self.asked = 0
        self.retry_after = "0.05"
        #: called when a message was passed on, before its answer goes back
        self.after_one: Callable[[], object] = lambda: None

    @property
    def api_base(self) -> str:
        return f"http://127.0.0.1:{self._port}/api/v10"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        deed = "pass"
        if request.method == "POST" and request.path.endswith("/messages"):
            self.asked += 1
            deed = self.script.popleft() if self.script else "pass"
        if deed.isdecimal():
            headers = {"Retry-After": self.retry_after} if deed == "429" else {}
            return web.Response(status=int(deed), text="no", headers=headers)
        answer: web.Response | None = None
        if deed != "cut":
            answer = await self._pass_on(request, body)
            if request.method == "POST" and request.path.endswith("/messages"):
                self.after_one()
        if answer is None or deed == "swallow":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return answer

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        headers = {
            name: request.headers[name]
            for name in ("Authorization", "Content-Type")
            if name in request.headers
        }
        async with self._session.request(
            request.method, self._to + request.path_qs, data=body or None, headers=headers
        ) as answer:
            content = await answer.read()
            kept = {k: v for k, v in answer.headers.items() if k.lower().startswith("x-")}
            kept["Content-Type"] = answer.headers.get("Content-Type", "text/plain")
            return web.Response(status=answer.status, body=content, headers=kept)


class TwoGuilds(Rude):
    """Every bot is in a second guild besides, one that is older than the sandbox's."""

    OTHER = "1001"

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        answer = await super()._pass_on(request, body)
        if request.path.endswith("/users/@me/guilds"):
            assert isinstance(answer.body, bytes)
            guilds = json.loads(answer.body)
            guilds.append(guilds[0] | {"id": self.OTHER, "name": "elsewhere"})
            answer.body = json.dumps(guilds).encode()
        return answer


class NoCommands(Rude):
    """Refuses everything about commands as long as `refuses`."""

    refuses = True

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        if self.refuses and request.path.endswith("/commands"):
            refusal = b'{"code": 50001, "message": "Missing Access"}'
            return web.Response(status=403, body=refusal, content_type="application/json")
        return await super()._pass_on(request, body)


@contextlib.asynccontextmanager
async def stranger() -> AsyncIterator[str]:
    """The REST root of a server that answers everything with a page of its own."""

    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="<h1>hello</h1>", content_type="text/html")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hello)
    async with TestServer(app) as other:
        yield str(other.make_url("/api/v10"))
