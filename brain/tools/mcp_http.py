"""A server that speaks MCP over streamable HTTP, its answers bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp.client.streamable_http import streamable_http_client

from brain.tools.mcp_stdio import MOST_BYTES

#: to connect, and to send; how long an answer may take is the caller's affair
_TIMEOUT = httpx2.Timeout(30.0, read=None)


class _Bounded(httpx2.AsyncByteStream):
    """A body that breaks off where it gets too long."""

    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for piece in self._body:
            read += len(piece)
            if read > MOST_BYTES:
                raise httpx2.ReadError(f"more than {MOST_BYTES} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._body.aclose()


@asynccontextmanager
async def over_http(url: str) -> AsyncIterator[Any]:
    """Its messages and ours, as the library's sessions want them."""
    # Compressed, a small answer could be a large one.
    headers = {"accept-encoding": "identity"}
    async with (
        httpx2.AsyncClient(
            headers=headers, timeout=_TIMEOUT, event_hooks={"response": [_bound]}
        ) as client,
        streamable_http_client(url, http_client=client, max_sse_event_size=MOST_BYTES) as streams,
    ):
        yield streams


async def _bound(response: httpx2.Response) -> None:
    kind = response.headers.get("content-type", "")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx2.DecodingError("an answer came compressed, unasked")
    # A stream of events lives as long as the session; the library bounds each event.
    if not kind.startswith("text/event-stream"):
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Bounded(response.stream)
