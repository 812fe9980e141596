"""GET /v1/models, as Anthropic and OpenAI list what they have; who asks is known by the headers.

Sources: platform.claude.com/docs "List Models"; OpenAI's API reference, "List models".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.vendors.anthropic_wire import MESSAGES
from tests.vendors.chat_wire import CHAT
from tests.vendors.script import Fail, Script
from tests.vendors.wire import bearer

PATH = "/v1/models"
#: what a stub lists that takes any name
STOCK: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("claude-sonnet-5-5", "claude-sonnet-5", "claude-sonnet-4-5"),
    "openai": ("gpt-5.4", "gpt-5.4-mini", "gpt-5-mini", "qwen3:8b"),
}
_RELEASED = "2025-10-09T08:53:20Z"
_RELEASED_UNIX_S = 1_760_000_000
_READS_TOKENS, _WRITES_TOKENS = 200_000, 64_000
_USUAL, _MOST = 20, 1000


def listed(
    script: Script, headers: Mapping[str, str], query: Mapping[str, str]
) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer to one GET."""
    wants_anthropic = "x-api-key" in headers or "anthropic-version" in headers
    wire = MESSAGES if wants_anthropic else CHAT
    key = bearer(headers)
    if not key or (script.keys is not None and key not in script.keys):
        fail = wire.wrong_key()
        return fail.status, wire.error(fail)
    names = script.models if script.models is not None else STOCK[_vendor(wants_anthropic)]
    if not wants_anthropic:
        return 200, {"object": "list", "data": [_openai(name) for name in names]}
    if "anthropic-version" not in headers:
        return 400, MESSAGES.error(Fail(400, "anthropic-version: header is required"))
    return _page(list(names), query)


def _vendor(wants_anthropic: bool) -> str:  # noqa: FBT001 - a fact about the request
    return "anthropic" if wants_anthropic else "openai"


def _page(names: Sequence[str], query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    """The models after `after_id`, at most `limit`."""
    limit = query.get("limit", str(_USUAL))
    if not limit.isdecimal() or not 1 <= int(limit) <= _MOST:
        return 400, MESSAGES.error(Fail(400, f"limit: has to be from 1 to {_MOST}"))
    after = query.get("after_id")
    begin = names.index(after) + 1 if after in names else 0
    shown = names[begin : begin + int(limit)]
    return 200, {
        "data": [_anthropic(name) for name in shown],
        "has_more": begin + len(shown) < len(names),
        "first_id": shown[0] if shown else None,
        "last_id": shown[-1] if shown else None,
    }


def _anthropic(name: str) -> dict[str, Any]:
    return {
        "type": "model",
        "id": name,
        "display_name": name.replace("-", " ").title(),
        "created_at": _RELEASED,
        "deprecated_at": None,
        "lifecycle": "active",
        "max_input_tokens": _READS_TOKENS,
        "max_tokens": _WRITES_TOKENS,
        "retires_at": None,
    }


def _openai(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _RELEASED_UNIX_S, "owned_by": "system"}
