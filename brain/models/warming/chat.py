"""OpenAI's SDK as chat completions need it, warmed; see the package."""

from __future__ import annotations

from typing import Final

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from brain.models.warming.canned import NO_KEY, NOWHERE, client

_CALL: Final = {"id": "c", "type": "function", "function": {"name": "t", "arguments": "{}"}}
_USAGE: Final = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
_WHOLE: Final = {
    "id": "chat_0",
    "object": "chat.completion",
    "model": "none",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": ".", "tool_calls": [_CALL]},
            "finish_reason": "stop",
        }
    ],
    "usage": _USAGE,
}
_CHUNK: Final = {
    "id": "chat_0",
    "object": "chat.completion.chunk",
    "model": "none",
    "choices": [{"index": 0, "delta": {"content": ".", "tool_calls": [{"index": 0, **_CALL}]}}],
    "usage": _USAGE,
}


def warm() -> None:
    """Call it before the fork."""
    with client(_WHOLE, [_CHUNK]) as http:
        sdk = OpenAI(api_key=NO_KEY, base_url=NOWHERE, http_client=http, max_retries=0)
        said: list[ChatCompletionMessageParam] = [{"role": "user", "content": "."}]
        sdk.chat.completions.create(model="none", messages=said)
        for _ in sdk.chat.completions.create(model="none", messages=said, stream=True):
            pass
