"""How one socket's frames are packed (Discord's documentation, "Gateway", "Transport Compression").

Both packers are made anew for every socket: a zlib stream cannot go on over a reconnect.
"""

from __future__ import annotations

import zlib
from typing import Protocol

#: fast rather than small: the peer is on this machine
_LEVEL = 1


class Packer(Protocol):
    """Turns the text of one frame into what goes over the socket: str as text, bytes as binary."""

    def pack(self, text: str) -> str | bytes: ...


class Plain:
    """No compression: every frame is a text frame."""

    def pack(self, text: str) -> str | bytes:
        return text


class ZlibStream:
    """One zlib context for the whole connection; each message ends in a sync flush."""

    def __init__(self) -> None:
        self._context = zlib.compressobj(_LEVEL)

    def pack(self, text: str) -> str | bytes:
        return self._context.compress(text.encode()) + self._context.flush(zlib.Z_SYNC_FLUSH)


def packer(name: str | None) -> Packer:
    """The packer for the query parameter ``compress``.

    Another than zlib-stream is not spoken here and answered without compression: discord.py asks
    for zstd-stream where the package `zstandard` is installed, and reads plain frames as well.
    """
    return ZlibStream() if name == "zlib-stream" else Plain()
