"""The sandbox guild as one web application: REST, gateway, files, chaos. Composition only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Self

from aiohttp import hdrs, web

from bots.clock import utc_now
from bots.private_file import ConfigError
from bots.sandbox import rest, threads
from bots.sandbox.chaos import Chaos
from bots.sandbox.config import Config
from bots.sandbox.founding import found
from bots.sandbox.gateway import Gateway
from bots.sandbox.limits import Limiter
from bots.sandbox.pictures import Pictures
from bots.sandbox.rest.call import MOST_JSON_BYTES
from bots.sandbox.rest.table import unknown
from bots.sandbox.world import Schedule, World, call_later

#: how long requests that are under way may take when the server ends
_SHUTDOWN_S = 0.5
#: threads fall asleep at most this much too late for who only listens
_LOOK_AT_THREADS_S = 60.0


def application(world: World, gateway: Gateway, limiter: Limiter) -> web.Application:
    app = web.Application(client_max_size=MOST_JSON_BYTES)
    app.add_routes([web.get("/gateway", gateway.handle)])
    app.add_routes(rest.routes(world, limiter))
    app.add_routes(Pictures(world).routes())
    app.add_routes(Chaos(world, gateway).routes())
    # last, because the first route that fits an address answers it
    app.add_routes([web.route(hdrs.METH_ANY, "/{tail:.*}", unknown)])
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
        self._listens = False

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
        self._listens = True
        self._look_at_threads()
        return self

    def _look_at_threads(self) -> None:
        """Put silent threads to sleep, now and every minute while the server listens."""
        if self._listens:
            threads.put_to_sleep(self._world)
            self._world.schedule(_LOOK_AT_THREADS_S, self._look_at_threads)

    async def __aexit__(self, *_: object) -> None:
        self._listens = False
        self._gateway.abort_all()
        await self._runner.cleanup()


def build(
    config: Config,
    *,
    clock: Callable[[], datetime] = utc_now,
    schedule: Schedule = call_later,
) -> Server:
    """Everything that `config` describes, not yet listening; `clock` is the world's.

    :raises ConfigError: a bot's token carries no id, or two tokens carry the same
    """
    try:
        world = found(config, clock=clock, schedule=schedule)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    gateway = Gateway(world, config.gateway)
    return Server(world, gateway, Limiter(config.limits), port=config.port)
