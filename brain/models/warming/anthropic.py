"""Anthropic's SDK, warmed; see the package."""

from __future__ import annotations

from typing import Final

from anthropic import Anthropic
from anthropic.types import MessageParam

from brain.models.warming.canned import NO_KEY, NOWHERE, client

_WHOLE: Final = {
    "id": "msg_0",
    "type": "message",
    "role": "assistant",
    "model": "none",
    "content": [
        {"type": "text", "text": "."},
        {"type": "tool_use", "id": "t", "name": "t", "input": {}},
    ],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
_EVENTS: Final = (
    {"type": "message_start", "message": {**_WHOLE, "content": []}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "."}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 1},
    },
    {"type": "message_stop"},
)


def warm() -> None:
    """Call it before the fork."""
    with client(_WHOLE, _EVENTS) as http:
        sdk = Anthropic(api_key=NO_KEY, base_url=NOWHERE, http_client=http, max_retries=0)
        said: list[MessageParam] = [{"role": "user", "content": "."}]
        sdk.messages.create(model="none", max_tokens=1, messages=said)
        for _ in sdk.messages.create(model="none", max_tokens=1, messages=said, stream=True):
            pass
