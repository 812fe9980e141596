"""A stand-in for the supervisor's control door: the same routes, bodies and token."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, Self

from aiohttp import web

TOKEN = "control-token-of-the-test"


class ControlDoor:
    """Agents that confirm a kill when the test lets them; as a context it listens inside."""

    def __init__(self, agents: list[str], *, port: int = 0) -> None:
        self.agents = dict.fromkeys(agents, "ready")
        self.reasons: dict[str, str] = {}
        self.killed: list[dict[str, Any]] = []
        self.services = {"nats": True, "irc": True}
        self.orders: list[dict[str, Any]] = []
        #: agents that do not confirm before `let_go` is set
        self.slow: set[str] = set()
        self.let_go = asyncio.Event()
        #: how often the status was asked for, and an event for each time
        self.looks = 0
        self.looked = asyncio.Event()
        self._wanted_port = port
        self.port = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(
            [
                web.get("/status", self._status),
                web.post("/control/kill", self._kill),
                web.post("/control/resume", self._resume),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._wanted_port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.let_go.set()
        await self._runner.cleanup()

    def _check(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise web.HTTPUnauthorized

    async def _status(self, request: web.Request) -> web.Response:
        self._check(request)
        self.looks += 1
        self.looked.set()
        agents = [
            {"name": n, "state": s, "reason": self.reasons.get(n, ""), "pid": 100 + i}
            for i, (n, s) in enumerate(self.agents.items())
        ]
        services = [{"name": name, "up": up} for name, up in self.services.items()]
        told = {"killed": self.killed, "services": services, "agents": agents}
        return web.json_response({"swarm": "parley", **told})

    async def _kill(self, request: web.Request) -> web.Response:
        self._check(request)
        body = await request.json()
        self.orders.append({"verb": "kill", **body})
        latch = {k: body[k] for k in ("scope", "by", "door", "reason")}
        latch["at"] = datetime.now(UTC).isoformat()
        if body.get("force"):
            self.slow.discard(body["scope"])
            self.let_go.set()
        concerned = [name for name in self.agents if body["scope"] in ("all", name)]
        self.killed = [k for k in self.killed if k["scope"] != latch["scope"]] + [latch]
        for name in concerned:
            if name not in self.slow:
                self.agents[name] = "killed"
        if self.slow:
            await self.let_go.wait()
        for name in concerned:
            self.agents[name] = "killed"
        confirmed = {name: 31.0 + 17.5 * number for number, name in enumerate(self.agents)}
        report = latch | {"confirmed_ms": confirmed, "forced": [], "absent": [], "remaining": []}
        return web.json_response(report | {"sentence": f"Killed all: {len(confirmed)} stopped."})

    async def _resume(self, request: web.Request) -> web.Response:
        self._check(request)
        body = await request.json()
        self.orders.append({"verb": "resume", **body})
        if not body.get("reason"):
            return web.json_response({"error": "resume needs a reason"}, status=400)
        freed = [name for name in self.agents if body["scope"] in ("all", name)]
        self.killed = [k for k in self.killed if body["scope"] not in ("all", k["scope"])]
        self.agents |= dict.fromkeys(freed, "ready")
        return web.json_response({"scope": body["scope"], "killed": False})
