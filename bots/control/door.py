"""The HTTP door of one process, on loopback: health and metrics for anyone here, steering for who
has the token.

Routes: ``GET /health``, ``GET /metrics``; with ``Authorization: Bearer TOKEN`` also ``POST
/control/kill`` with ``{"scope": "all" | AGENT, "reason", "by"}``, and in the supervisor ``POST
/control/resume`` (same body), ``POST /control/restart`` ``{"agent"}``, ``POST /control/stop``,
``POST /control/keys/create`` ``{"sender"}``, ``…/rotate`` ``{"owner"}``, ``…/revoke`` ``{"key"}``
and ``GET /status``. Its kill takes ``"force": true`` too, which ends at once who has not confirmed.
Errors are JSON: ``{"error": sentence, "code": word}`` with 400, 401, 403, 404, 405, 413 or 503.

Further routes may hang on it that know by themselves whom they let in, such as an agent's hooks.
The steering token opens none of them, and what opens them steers nothing.
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, Final

from aiohttp import web
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from bots.supervisor.ports import LOOPBACK

_LARGEST_BODY = 16_384
#: callers that the system lets wait
_BACKLOG: Final = 128
#: as what callers on this machine know it
NAMES: Final = (LOOPBACK, "localhost")
#: how long the rest of a body that nobody wants is let come, so that the answer arrives
LINGER_S: Final = 1.0
_CODES: Final = {
    400: "bad_request",
    401: "unauthorized",
    403: "wrong_host",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    503: "unavailable",
}

Body = dict[str, Any]
Steer = Callable[[Body], Awaitable[Body]]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BadRequest(Exception):
    """The request cannot be carried out as it is; the text says why."""


class Unavailable(Exception):
    """It was understood and cannot be done now; the text says why."""


class Door:
    """One listening HTTP server. `steering` are the routes that need the token, `more` gives those
    that look after themselves.

    What answers is made when the first caller comes: most agents of most swarms are never called,
    and an idle server is 0.7 MiB.
    """

    def __init__(
        self,
        token: str,
        *,
        health: Callable[[], Body],
        steering: Mapping[tuple[str, str], Steer],
        more: Callable[[], Iterable[web.RouteDef]] = tuple,
    ) -> None:
        self._token = token
        self._health = health
        self._steering = steering
        self._more = more
        self._socket: socket.socket | None = None
        self._opening: asyncio.Task[web.AppRunner] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    async def open(self, port: int = 0) -> None:
        """Listen on this loopback port, 0 for a free one; raises `OSError` when it is taken."""
        self._socket = socket.create_server((LOOPBACK, port), backlog=_BACKLOG)
        self._socket.setblocking(False)
        self.port = self._socket.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._socket, self._called, self._socket)

    async def close(self) -> None:
        if self._opening is not None:
            await (await self._opening).cleanup()
        elif self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def _called(self, listening: socket.socket) -> None:
        """Somebody waits to be let in."""
        asyncio.get_running_loop().remove_reader(listening)
        self._opening = asyncio.create_task(self._opened(listening))

    async def _opened(self, listening: socket.socket) -> web.AppRunner:
        app = web.Application(client_max_size=_LARGEST_BODY, middlewares=[errors_as_json(NAMES)])
        app.router.add_get("/health", self._get_health)
        app.router.add_get("/metrics", _get_metrics)
        for (method, path), steer in self._steering.items():
            app.router.add_route(method, path, self._guarded(steer))
        app.router.add_routes(self._more())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, lingering_time=LINGER_S)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        return runner

    async def _get_health(self, request: web.Request) -> web.Response:
        return web.json_response(self._health())

    def _guarded(self, steer: Steer) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not is_same(given, self._token):
                return _error(401, "a bearer token is needed: it is in the state folder")
            return web.json_response(await steer(await _body_of(request)))

        return handle


async def _get_metrics(request: web.Request) -> web.Response:
    # OpenMetrics carries exemplars: an answer's time with the trace id that is in the logs.
    body = generate_latest(REGISTRY)  # type: ignore[no-untyped-call]  # it ships no types
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _body_of(request: web.Request) -> Body:
    if not request.can_read_body:
        return {}
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise BadRequest("the body is no JSON") from None
    if not isinstance(body, dict):
        raise BadRequest("the body is no JSON object")
    return body


def is_same(given: str, secret: str) -> bool:
    """Compared so that the time it takes tells nothing; `given` may be any header."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), secret.encode())


def errors_as_json(names: Collection[str]) -> Callable[..., Awaitable[web.StreamResponse]]:
    """The middleware of a door that is known by these names only."""

    @web.middleware
    async def told(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.host.lower()
        if host not in names and host.rpartition(":")[0] not in names:
            # A web page that has our address under a name of its own is nobody we talk to.
            return _error(403, "this door does not answer to that name")
        try:
            return await handler(request)
        except BadRequest as error:
            return _error(400, str(error))
        except Unavailable as error:
            return _error(503, str(error))
        except web.HTTPException as error:
            allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            return _error(error.status, error.reason, allowed)

    return told


def _error(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> web.Response:
    told = {"error": sentence, "code": _CODES.get(status, "refused")}
    return web.json_response(told, status=status, headers=headers)


def words_of(body: Body, key: str, default: str | None = None) -> str:
    """One text of a body; raises `BadRequest` when it is missing or no text."""
    value = body.get(key, default)
    if not isinstance(value, str) or len(value) > 500:
        raise BadRequest(f"{key!r} must be a text of at most 500 characters")
    return " ".join(value.split())
