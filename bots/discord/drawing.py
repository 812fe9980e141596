"""Draws the bots' pictures: a plain figure on a rounded square, as a PNG of some hundred bytes.

``python -m bots.discord.drawing FOLDER NAME…`` writes ``FOLDER/NAME.png``; a name without a figure
of its own gets one by its hash. Runs when a picture is made, never in an agent.
"""

from __future__ import annotations

import hashlib
import struct
import sys
import zlib
from collections.abc import Callable
from math import atan2, cos, hypot, pi
from pathlib import Path

SIDE = 128
#: a point's colour is the mean of so many samples a side
_SAMPLES = 3
_CORNER = 0.42
_INK = (250, 248, 240)
Figure = Callable[[float, float], bool]


def _star(x: float, y: float) -> bool:
    angle = (atan2(x, -y) + pi / 5) % (2 * pi / 5) - pi / 5
    point = 1 - abs(angle) / (pi / 5)
    reach: float = 0.3 + 0.34 * max(0.0, point) * max(0.0, point) ** 0.5
    return hypot(x, y) * cos(angle) < reach


def _hexagon(x: float, y: float) -> bool:
    outside = max(abs(x), abs(x) / 2 + abs(y) * 0.866)
    return 0.3 < outside < 0.58


def _page(x: float, y: float) -> bool:
    lines = abs(x) < 0.26 and any(abs(y - at) < 0.045 for at in (-0.28, 0.0, 0.28))
    return abs(x) < 0.42 and abs(y) < 0.56 and not lines


def _eye(x: float, y: float) -> bool:
    lid = hypot(x, abs(y) + 0.42) < 0.78
    return lid and not 0.13 < hypot(x, y) < 0.24


def _sheaf(x: float, y: float) -> bool:
    stalk = abs(x) < 0.05 and abs(y) < 0.6
    ears = any(hypot(abs(x) - 0.2, (y - at) * 1.3) < 0.17 for at in (-0.42, -0.08, 0.26))
    return stalk or ears


def _cog(x: float, y: float) -> bool:
    teeth = 0.06 * (1 if cos(8 * atan2(y, x)) > 0 else -1)
    return 0.2 < hypot(x, y) < 0.5 + teeth


def _flame(x: float, y: float) -> bool:
    width = 0.42 * max(0.0, 1 - ((y - 0.18) / 0.46) ** 2) if y > -0.02 else 0.34 * (y + 0.62) / 0.6
    return abs(x) < width and hypot(x, y - 0.28) > 0.16


def _scales(x: float, y: float) -> bool:
    beam = abs(y + 0.38) < 0.05 and abs(x) < 0.56
    post = abs(x) < 0.05 and -0.5 < y < 0.5
    foot = abs(y - 0.5) < 0.05 and abs(x) < 0.28
    pans = hypot(abs(x) - 0.44, y - 0.05) < 0.22 and y > 0.05
    return beam or post or foot or pans


def _ring(x: float, y: float) -> bool:
    return 0.34 < hypot(x, y) < 0.56 or hypot(x, y) < 0.14


def _diamond(x: float, y: float) -> bool:
    return 0.26 < abs(x) + abs(y) < 0.62


_OTHERS = (_ring, _diamond, _hexagon, _cog)
_KNOWN: dict[str, tuple[Figure, tuple[int, int, int]]] = {
    "captain": (_star, (178, 58, 46)),
    "tech-lead": (_hexagon, (44, 92, 150)),
    "secretary": (_page, (104, 88, 148)),
    "auditor": (_eye, (40, 108, 100)),
    "harvester": (_sheaf, (176, 124, 30)),
    "skill-extractor": (_cog, (76, 96, 112)),
    "soul-extractor": (_flame, (164, 70, 112)),
    "buyer": (_scales, (64, 118, 62)),
}


def draw(name: str) -> bytes:
    """The picture of the agent `name` as a PNG, always the same one."""
    figure, ground = _KNOWN.get(name) or _by_hash(name)
    rows = bytearray()
    for row in range(SIDE):
        rows.append(0)  # this row is stored as it is
        for column in range(SIDE):
            rows += bytes(_pixel(figure, ground, column, row))
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(bytes(rows), 9))
        + _chunk(b"IEND", b"")
    )


def _by_hash(name: str) -> tuple[Figure, tuple[int, int, int]]:
    digest = hashlib.sha256(name.encode()).digest()
    red, green, blue = (40 + value % 120 for value in digest[1:4])
    return _OTHERS[digest[0] % len(_OTHERS)], (red, green, blue)


def _pixel(
    figure: Figure, ground: tuple[int, int, int], column: int, row: int
) -> tuple[int, int, int, int]:
    inside = inked = 0
    for n in range(_SAMPLES * _SAMPLES):
        x = (column + (n % _SAMPLES + 0.5) / _SAMPLES) / SIDE * 2 - 1
        y = (row + (n // _SAMPLES + 0.5) / _SAMPLES) / SIDE * 2 - 1
        inside += _on_tile(x, y)
        inked += figure(x, y)
    share = inked / _SAMPLES**2
    red, green, blue = (round(g + (i - g) * share) for g, i in zip(ground, _INK, strict=True))
    return red, green, blue, round(255 * inside / _SAMPLES**2)


def _on_tile(x: float, y: float) -> bool:
    over_x, over_y = abs(x) - (1 - _CORNER), abs(y) - (1 - _CORNER)
    return hypot(max(over_x, 0.0), max(over_y, 0.0)) <= _CORNER


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for agent in sys.argv[2:]:
        (folder / f"{agent}.png").write_bytes(draw(agent))
