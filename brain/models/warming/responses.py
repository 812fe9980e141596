"""OpenAI's SDK as its Responses API needs it, warmed; see the package."""

from __future__ import annotations

from typing import Final

from openai import OpenAI

from brain.models.warming.canned import NO_KEY, NOWHERE, client

_WHOLE: Final = {
    "id": "resp_0",
    "object": "response",
    "model": "none",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "id": "m",
            "role": "assistant",
            "content": [{"type": "output_text", "text": ".", "annotations": []}],
        },
        {"type": "function_call", "id": "f", "call_id": "c", "name": "t", "arguments": "{}"},
    ],
    "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
}
_EVENTS: Final = (
    {"type": "response.created", "response": {**_WHOLE, "output": []}},
    {"type": "response.output_text.delta", "item_id": "m", "delta": "."},
    {"type": "response.completed", "response": _WHOLE},
)


def warm() -> None:
    """Call it before the fork."""
    with client(_WHOLE, _EVENTS) as http:
        sdk = OpenAI(api_key=NO_KEY, base_url=NOWHERE, http_client=http, max_retries=0)
        sdk.responses.create(model="none", input=".")
        for _ in sdk.responses.create(model="none", input=".", stream=True):
            pass
