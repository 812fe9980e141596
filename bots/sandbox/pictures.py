"""What Discord keeps on its content servers: files of messages, avatars, default avatars."""

from __future__ import annotations

import struct
import zlib
from typing import Final
from urllib.parse import quote

from aiohttp import web

from bots.sandbox.world import World

_SIDE = 64
#: one colour for each of Discord's default avatars
_COLOURS: Final = ("5865f2", "757e8a", "3ba55c", "faa61a", "ed4245", "eb459e")
_PNG = b"\x89PNG\r\n\x1a\n"
#: the images that Discord takes, by how they begin
_KINDS = {
    _PNG: "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}
#: shown inside a page; everything else is offered as a file, whatever it says that it is
_INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "text/plain"})


def kind_of(image: bytes) -> str | None:
    """The media type of `image` by its first bytes; None for what Discord does not take."""
    return next((kind for start, kind in _KINDS.items() if image.startswith(start)), None)


class Pictures:
    """Read-only, and open to whoever knows the address, as on Discord."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/attachments/{channel:\\d+}/{attachment:\\d+}/{name}", self._attachment),
            web.get("/avatars/{user:\\d+}/{hash:\\w+}.{kind:\\w+}", self._avatar),
            web.get("/embed/avatars/{number:\\d+}.png", self._default_avatar),
        ]

    async def _attachment(self, request: web.Request) -> web.Response:
        found = self._world.attachment(
            int(request.match_info["channel"]), int(request.match_info["attachment"])
        )
        if found is None or found.filename != request.match_info["name"]:
            raise web.HTTPNotFound
        kind = found.content_type.partition(";")[0].strip()
        how = "inline" if kind in _INLINE else "attachment"
        return _file(
            found.data,
            found.content_type if how == "inline" else "application/octet-stream",
            f"{how}; filename*=UTF-8''{quote(found.filename)}",
        )

    async def _avatar(self, request: web.Request) -> web.Response:
        user = self._world.users.get(int(request.match_info["user"]))
        kind = kind_of(user.avatar_image) if user else None
        if user is None or kind is None or user.avatar != request.match_info["hash"]:
            raise web.HTTPNotFound
        return _file(user.avatar_image, kind, "inline")

    async def _default_avatar(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        if number >= len(_COLOURS):
            raise web.HTTPNotFound
        return _file(_square(bytes.fromhex(_COLOURS[number])), "image/png", "inline")


def _file(body: bytes, kind: str, disposition: str) -> web.Response:
    headers = {
        "Content-Type": kind,
        "Content-Disposition": disposition,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return web.Response(body=body, headers=headers)


def _square(rgb: bytes) -> bytes:
    """A PNG of one colour (W3C, "Portable Network Graphics", sections 5 and 11)."""
    row = b"\x00" + rgb * _SIDE
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(row * _SIDE)), (b"IEND", b""))
    return _PNG + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
