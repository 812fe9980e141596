"""The page as one web application, and what stands around every request. Composition only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from bots.console import acting, files, pages, reading
from bots.console.config import Config
from bots.console.house import HOUSE, House
from bots.console.pages import HERE

#: how long requests that are under way may take when the process ends
_SHUTDOWN_S = 0.5
_MOST_BODY_BYTES = 26 * 1024 * 1024
_NAMES = frozenset({"127.0.0.1", "localhost"})
_OPEN = ("/login", "/static/")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(house: House) -> web.Application:
    app = web.Application(
        client_max_size=_MOST_BODY_BYTES, middlewares=[_names_and_headers, _logged_in]
    )
    app[HOUSE] = house
    app.add_routes(
        [
            web.get("/login", _show_login),
            web.post("/login", _log_in),
            web.post("/logout", _log_out),
            web.post("/act-as", _act_as),
            *reading.routes(),
            *acting.routes(),
            *files.routes(),
        ]
    )
    app.router.add_static("/static", HERE / "static")
    app.on_response_prepare.append(_put_headers)
    return app


async def _put_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


@web.middleware
async def _names_and_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Only our own pages, under our own name, may ask: no rebinding, no foreign forms."""
    host = request.host.rpartition(":")[0] if ":" in request.host else request.host
    if host not in _NAMES:
        raise web.HTTPForbidden(text="This page answers to its loopback address only.")
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="That form is not ours.")
    return await handler(request)


@web.middleware
async def _logged_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Everything but the login needs a valid cookie; `?token=` on any page is a login too."""
    house = request.app[HOUSE]
    if request.method == "GET" and "token" in request.query:
        return _enter(house, request.query["token"])
    if request.path.startswith(_OPEN):
        return await handler(request)
    visitor = house.visitor(request)
    if visitor is None:
        if request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
            return web.Response(status=302, headers={"Location": "/login"})
        raise web.HTTPUnauthorized(text="Log in first.")
    request["visitor"] = visitor
    return await handler(request)


def _enter(house: House, token: str) -> web.Response:
    """Log in and go to a clean address; a wrong token gets the form with a sentence."""
    wait_s = house.admit(token)
    if wait_s is None:
        response = web.Response(status=302, headers={"Location": "/"})
        house.remember(response, house.config.guild.users[0].name)
        return response
    if wait_s > 0:
        sentence = f"Too many tries. Wait {wait_s:.0f} s."
        headers = {"Retry-After": str(int(wait_s) + 1)}
        return _form(house, "", sentence, status=429, headers=headers)
    return _form(house, "", "That is not the token.", status=403)


def _form(
    house: House, theme: str, sentence: str, *, status: int, headers: dict[str, str] | None = None
) -> web.Response:
    html = pages.login(house, theme, sentence)
    return web.Response(text=html, content_type="text/html", status=status, headers=headers)


async def _show_login(request: web.Request) -> web.Response:
    return _form(request.app[HOUSE], request.cookies.get("parley_theme", ""), "", status=200)


async def _log_in(request: web.Request) -> web.Response:
    form = await request.post()
    return _enter(request.app[HOUSE], str(form.get("token", "")).strip())


async def _log_out(request: web.Request) -> web.Response:
    response = web.Response(status=302, headers={"Location": "/login"})
    response.del_cookie(request.app[HOUSE].cookie)
    return response


async def _act_as(request: web.Request) -> web.Response:
    """Act as another person of the guild from now on."""
    house = request.app[HOUSE]
    name = str((await request.json()).get("user", ""))
    if name not in house.users:
        raise web.HTTPNotFound(text="There is no such person.")
    response = web.json_response({})
    house.remember(response, name)
    return response


class Server:
    """The page on a loopback port; as a context it listens inside and is gone after."""

    def __init__(self, config: Config) -> None:
        self._config = config
        #: 0 until it listens
        self.port = 0

    async def __aenter__(self) -> Self:
        """Listen. Raises `OSError` when the port is taken."""
        self._http = aiohttp.ClientSession()
        self._house = House(self._config, self._http)
        self._runner = web.AppRunner(
            application(self._house),
            access_log=None,
            handle_signals=False,
            shutdown_timeout=_SHUTDOWN_S,
        )
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, "127.0.0.1", self._config.port)
            await site.start()
        except OSError:
            await self._http.close()
            await self._runner.cleanup()
            raise
        self.port = int(self._runner.addresses[0][1])
        self._watching = asyncio.create_task(self._house.control.watch())
        # whoever opens the page finds the first person there
        self._house.person(self._config.guild.users[0])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._house.streams.end()
        self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._watching
        await self._house.close()
        await self._runner.cleanup()
        await self._http.close()
