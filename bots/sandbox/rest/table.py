"""A room's routes, and what stands around each handler: who asks, how often, what went wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bots.sandbox.errors import ApiError, plain
from bots.sandbox.limits import Limiter
from bots.sandbox.model import User
from bots.sandbox.rest.call import Call, answer, json_response, unknown_address
from bots.sandbox.world import World

Handler = Callable[[Call], Awaitable[Any]]
#: what stands in the path and has a bucket of its own ("Rate Limits": major parameters)
_MAJOR = ("channel_id", "guild_id", "application_id", "token")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A route of the API."""

    method: str
    path: str
    handler: Handler
    bucket: str
    #: needs no token in the header: the path has one, or anybody may ask
    open: bool
    #: callbacks and follow-ups are outside the global limit ("Receiving and Responding")
    counts_globally: bool


class Table:
    """The endpoints of one file."""

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []

    def route(
        self,
        method: str,
        path: str,
        *,
        bucket: str = "other",
        open: bool = False,  # noqa: A002 - says what it is
        counts_globally: bool = True,
    ) -> Callable[[Handler], Handler]:
        """A decorator: this handler answers `method` on `path`."""

        def keep(handler: Handler) -> Handler:
            self.endpoints.append(
                Endpoint(
                    method=method,
                    path=path,
                    handler=handler,
                    bucket=bucket,
                    open=open,
                    counts_globally=counts_globally,
                )
            )
            return handler

        return keep


def caller(world: World, request: web.Request) -> User | None:
    """Who the Authorization header names: ``Bot TOKEN`` for bots, the bare token for people."""
    prefix, _, token = request.headers.get("Authorization", "").rpartition(" ")
    user = world.user_by_token(token)
    if user is None or user.bot != (prefix == "Bot") or prefix not in ("", "Bot"):
        return None
    return user


def around(
    world: World, limiter: Limiter, endpoint: Endpoint
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler as aiohttp calls it."""

    async def handle(request: web.Request) -> web.StreamResponse:
        user = None if endpoint.open else caller(world, request)
        if user is None and not endpoint.open:
            refused = plain(401, "Unauthorized")
            return json_response(refused.status, refused.body)
        major = "/".join(request.match_info.get(name, "") for name in _MAJOR)
        verdict = limiter.take(
            str(user.id) if user else "",
            endpoint.bucket,
            major,
            counts_globally=endpoint.counts_globally,
        )
        headers = verdict.headers() if verdict else {}
        if verdict and not verdict.allowed:
            return json_response(429, verdict.body(), headers)
        try:
            result = await endpoint.handler(Call(world=world, request=request, caller=user))
        except ApiError as error:
            return json_response(error.status, error.body, headers)
        response = answer(result)
        response.headers.update(headers)
        return response

    return handle


async def unknown(request: web.Request) -> web.StreamResponse:
    """Any other address."""
    refused = unknown_address(request.method, request.path)
    return json_response(refused.status, refused.body)
