"""The sandbox guild as one web application: REST, gateway, files, chaos. Composition only."""

from __future__ import annotations

import time
from typing import Self

from aiohttp import web

from bots.private_file import ConfigError
from bots.sandbox import rest
from bots.sandbox.chaos import Chaos
from bots.sandbox.config import Config
from bots.sandbox.founding import found
from bots.sandbox.gateway import Gateway
from bots.sandbox.limits import Limiter
from bots.sandbox.pictures import Pictures
from bots.sandbox.starts import SessionStarts
from bots.sandbox.world import World

#: how long requests that are under way may take when the server ends
_SHUTDOWN_S = 0.5


#: the largest body of a request that is no upload: an avatar in base64
_MOST_BODY_BYTES = 16 * 1024 * 1024


def application(world: World, gateway: Gateway, limiter: Limiter) -> web.Application:
    app = web.Application(client_max_size=_MOST_BODY_BYTES)
    app.add_routes([web.get("/gateway", gateway.handle)])
    app.add_routes(rest.routes(world, limiter))
    app.add_routes(Pictures(world).routes())
    app.add_routes(Chaos(world, gateway).routes())
    return app


class Server:
    """An application on a loopback port; as a context it listens inside and is gone after."""

    def __init__(self, world: World, gateway: Gateway, limiter: Limiter, *, port: int = 0) -> None:
        self._world = world
        self._gateway = gateway
        self._wanted_port = port
        self._runner = web.AppRunner(
            application(world, gateway, limiter),
            access_log=None,
            handle_signals=False,
            shutdown_timeout=_SHUTDOWN_S,
        )
        self.guild_id = world.guild_id
        #: 0 until it listens
        self.port = 0

    async def __aenter__(self) -> Self:
        """Listen.

        :raises OSError: the port is taken
        """
        await self._runner.setup()
        try:
            site = web.TCPSite(self._runner, "127.0.0.1", self._wanted_port)
            await site.start()
        except OSError:
            await self._runner.cleanup()
            raise
        self.port = int(self._runner.addresses[0][1])
        self._world.base_url = f"http://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gateway.abort_all()
        await self._runner.cleanup()


def build(config: Config) -> Server:
    """Everything that `config` describes, not yet listening.

    :raises ConfigError: a bot's token carries no id, or two tokens carry the same
    """
    try:
        world = found(config)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    starts = SessionStarts(
        per_day=config.gateway.identifies_per_day,
        pause_s=config.gateway.identify_every_s,
        clock=time.monotonic,
    )
    world.session_start_limit = lambda user: starts.limit(user.id)
    gateway = Gateway(world, config.gateway, starts)
    return Server(world, gateway, Limiter(config.limits), port=config.port)
