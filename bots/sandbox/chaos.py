"""Trouble on demand, for tests: POST /sandbox/chaos, with an operator's token.

Body ``{"do": "drop" | "op7" | "invalid" | "zombie", "bot": NAME | "all"}``; the answer says how
many sockets were met: ``{"affected": 2}``. Discord has nothing like it.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from aiohttp import web

from bots.sandbox import frames
from bots.sandbox.connection import Connection
from bots.sandbox.frames import Op
from bots.sandbox.gateway import Gateway
from bots.sandbox.model import User
from bots.sandbox.world import World

_EVERYBODY = "all"


class Chaos:
    """The one door to it."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world = world
        self._gateway = gateway
        self._deeds: dict[str, Callable[[Connection], None]] = {
            "drop": Connection.abort,
            "op7": lambda c: c.send(frames.text(Op.RECONNECT, None)),
            "invalid": self._invalidate,
            "zombie": _petrify,
        }

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/sandbox/chaos", self._post)]

    async def _post(self, request: web.Request) -> web.Response:
        user = self._world.user_by_token(request.headers.get("Authorization", ""))
        if user is None or not user.operator:
            return _answer(403, {"message": "An operator's token is needed."})
        try:
            body = await request.json()
            deed, name = self._deeds[body["do"]], str(body.get("bot", _EVERYBODY))
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
            return _answer(400, {"message": f"do is one of {', '.join(self._deeds)}"})
        met = self._gateway.connections() if name == _EVERYBODY else self._of(name)
        if met is None:
            return _answer(404, {"message": "Nobody has this name."})
        for connection in met:
            deed(connection)
        return _answer(200, {"affected": len(met)})

    def _of(self, name: str) -> list[Connection] | None:
        named: User | None = next((u for u in self._world.users.values() if u.name == name), None)
        return self._gateway.connections(named) if named else None

    def _invalidate(self, connection: Connection) -> None:
        if connection.session is not None:
            self._gateway.forget(connection.session)
            connection.session = None
        connection.send(frames.text(Op.INVALID_SESSION, d=False))


def _petrify(connection: Connection) -> None:
    connection.zombie = True


def _answer(status: int, body: dict[str, object]) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(body).encode(), content_type="application/json"
    )
