"""The streams of changes that are open: one a page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Streams:
    """A page that asks anew ends its stream before: what is told once, like a form, must not be
    told to a socket that the browser has left.
    """

    def __init__(self) -> None:
        self._open: dict[str, asyncio.Event] = {}
        self._ended = False

    @contextmanager
    def of(self, page: str) -> Iterator[asyncio.Event]:
        """The event inside says that this stream is over."""
        if before := self._open.get(page):
            before.set()
        over = self._open[page] = asyncio.Event()
        if self._ended:
            over.set()
        try:
            yield over
        finally:
            if self._open.get(page) is over:
                del self._open[page]

    def end(self) -> None:
        """All are over, and whatever comes is too."""
        self._ended = True
        for over in self._open.values():
            over.set()
