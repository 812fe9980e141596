"""Whether a request has left: from then on its vendor may work on it, and bill it, though nothing
of an answer is ever heard.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import httpx2

#: of httpcore's trace extension, behind the name of a version of HTTP
_SENT: Final = "send_request_body.complete"


class Departure:
    """Of one request."""

    def __init__(self) -> None:
        #: all of it was handed to a connection
        self.has_left = False

    async def note(self, event: str, _: Any) -> None:
        if event.endswith(_SENT):
            self.has_left = True


_UNDER_WAY: ContextVar[Departure | None] = ContextVar("departure", default=None)


@contextmanager
def departing() -> Iterator[Departure]:
    """Watches the request that is made inside, by a client that has `watch` as its hook."""
    departure = Departure()
    token = _UNDER_WAY.set(departure)
    try:
        yield departure
    finally:
        _UNDER_WAY.reset(token)


async def watch(request: httpx2.Request) -> None:
    """A ``request`` hook for clients of httpx."""
    departure = _UNDER_WAY.get()
    if departure is not None:
        request.extensions["trace"] = departure.note
