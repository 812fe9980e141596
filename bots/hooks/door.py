"""Where an agent's hooks come in: its own door on loopback, and with a certificate in ``[hooks]``
another one with TLS, for the world if it is told to listen wider.

That one has the hooks and nothing else: kill, restart and metrics stay on loopback.
"""

from __future__ import annotations

import errno
import ipaddress
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

from aiohttp import web

from bots.control.door import LINGER_S, NAMES, Body, Door, Steer, errors_as_json
from bots.hook_settings import HookSettings
from bots.hooks.room import HookRoom
from bots.private_file import too_open


class HookDoor:
    """Both doors as one: `open`, `close`, `url`."""

    def __init__(
        self,
        room: HookRoom,
        settings: HookSettings,
        *,
        token: str,
        health: Callable[[], Body],
        steering: Mapping[tuple[str, str], Steer],
    ) -> None:
        """The rest as for `Door`; the one with TLS shows the state only."""
        self._door = Door(token, health=health, steering=steering, more=room.routes)
        self._settings = settings
        self._health = health
        self._room = room
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where callers find the hooks; it ends without a slash."""
        if self._runner is None:
            return self._door.url
        name = self._settings.names[0] if self._settings.names else _host(self._settings.listen)
        return f"https://{name}:{self._port}"

    @property
    def local_url(self) -> str:
        """The same for callers on this machine, who need no certificate; and kill and metrics."""
        return self._door.url

    async def open(self, port: int = 0) -> None:
        """Listen, on this port where the hooks are, 0 for a free one; raises `OSError` when it is
        taken, or when certificate or key cannot be used.
        """
        settings = self._settings
        if settings.tls_certificate is None or settings.tls_key is None:
            await self._door.open(port)
            return
        await self._door.open()
        tls = _tls(settings.tls_certificate, settings.tls_key)
        app = web.Application(middlewares=[errors_as_json(_names(settings))])
        app.router.add_get("/health", self._get_health)
        app.router.add_routes(self._room.routes())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, lingering_time=LINGER_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.listen, port, ssl_context=tls).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner, self._port = runner, runner.addresses[0][1]

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        await self._door.close()

    async def _get_health(self, request: web.Request) -> web.Response:
        # Nicks, addresses and reasons are for those on this machine.
        return web.json_response({"state": self._health()["state"]})


def _tls(certificate: str, key: str) -> ssl.SSLContext:
    if too_open(Path(key)):
        raise OSError(errno.EACCES, f"others can read the TLS key: chmod 600 {key}")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        why = error.reason or "they cannot be read"
        raise OSError(errno.EINVAL, f"{certificate} and {key}: {why}") from error
    return context


def _names(settings: HookSettings) -> frozenset[str]:
    names = {*NAMES, *(name.lower() for name in settings.names)}
    if not ipaddress.ip_address(settings.listen).is_unspecified:
        names.add(_host(settings.listen))
    return frozenset(names)


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
