"""Files and pictures of the guild through our own address, so that the page asks nobody else."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import aiohttp
from aiohttp import web

from bots.console.house import HOUSE
from bots.console.message_views import PICTURES

_CHUNK_BYTES = 65_536
_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=3)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/attachments/{channel:\\d+}/{attachment:\\d+}/{name}", _file),
        web.get("/avatars/{user:\\d+}/{name:\\w+\\.png}", _file),
    ]


async def _file(request: web.Request) -> web.StreamResponse:
    """The same path at the guild's own host, as it comes."""
    house = request.app[HOUSE]
    api = urlsplit(house.config.guild.api)
    url = f"{api.scheme}://{api.netloc}{request.rel_url.raw_path}"
    try:
        async with house.http.get(url, timeout=_TIMEOUT, allow_redirects=False) as found:
            if found.status != 200:
                raise web.HTTPNotFound
            response = web.StreamResponse(headers=_headers(found, request))
            await response.prepare(request)
            async for chunk in found.content.iter_chunked(_CHUNK_BYTES):
                await response.write(chunk)
            return response
    except (aiohttp.ClientError, TimeoutError):
        raise web.HTTPBadGateway(text="The guild does not answer.") from None


def _headers(found: aiohttp.ClientResponse, request: web.Request) -> dict[str, str]:
    kind = found.content_type
    name = quote(request.match_info["name"])
    how = "inline" if kind in PICTURES else "attachment"
    return {
        "Content-Type": kind if how == "inline" else "application/octet-stream",
        "Content-Disposition": f"{how}; filename*=UTF-8''{name}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "private, max-age=3600",
    }
