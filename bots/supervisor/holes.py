"""Keeping what is shared after a fork shared: new objects go into new pages.

Python's allocator fills the free blocks of pages that are in use already. In a child that is a page
copied for a few bytes, thousands of times. So before the first fork each free block is taken by
something that is never let go: it costs its own bytes once, and saves each child its copies.

The numbers come from CPython's own `sys._debugmallocstats`, which speaks to the standard error of
the C library alone; another Python, or another allocator, has none, and then nothing is done.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from typing import Final

#: class, size in bytes, pools, blocks in use, blocks free
_ROW: Final = re.compile(r"^ *\d+ +(\d+) +\d+ +\d+ +(\d+)$", re.MULTILINE)
#: what a bytes object takes beside its bytes
_BYTES: Final = sys.getsizeof(b"")
_FLOAT: Final = sys.getsizeof(0.5)
#: kept for as long as the process lives
_plugs: Final[list[object]] = []


def plug_holes() -> int:
    """Take each free block of the pages in use; how many there were."""
    taken = 0
    for size, free in _free_blocks():
        _plugs.extend(_filling(size, number) for number in range(free))
        taken += free
    return taken


def _filling(size: int, number: int) -> object:
    """A new object that takes a block of `size` bytes."""
    if size > _BYTES:
        return bytes([number % 256]) * (size - _BYTES)
    return object() if size < _FLOAT else number + 0.5


def _free_blocks() -> list[tuple[int, int]]:
    """Size of the blocks, and how many of that size are free, in pages that are in use."""
    tell = getattr(sys, "_debugmallocstats", None)
    if tell is None:
        return []
    with tempfile.TemporaryFile() as told:
        before = os.dup(2)
        try:
            os.dup2(told.fileno(), 2)
            tell()
        finally:
            os.dup2(before, 2)
            os.close(before)
        told.seek(0)
        return [(int(size), int(free)) for size, free in _ROW.findall(told.read().decode())]
