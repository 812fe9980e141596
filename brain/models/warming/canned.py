"""A client that gets answers which nobody sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx2

#: nothing ever connects to it
NOWHERE: Final = "http://nowhere.invalid"
NO_KEY: Final = "none"


def client(whole: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> httpx2.Client:
    """Requests are answered by `events` where they ask for a stream, else by `whole`."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if not json.loads(request.content).get("stream"):
            return httpx2.Response(200, json=whole)
        lines = [f"event: {e.get('type', 'chunk')}\ndata: {json.dumps(e)}\n\n" for e in events]
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, text="".join(lines), headers=headers)

    return httpx2.Client(transport=httpx2.MockTransport(answer))
