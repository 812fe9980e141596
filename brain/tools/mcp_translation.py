"""Between MCP's words and ours, pure: names that vendors take, schemas they take, results as text.

What a server says of its tools is not ours: it is bounded, made visible, and labelled.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import mcp_types

from brain.model import ToolSpec
from brain.prompting.fencing import visible
from brain.tools.registry import Effects

#: what OpenAI and Anthropic both take as a tool's name
_LONGEST_NAME = 64
_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")
#: what Anthropic takes as the name of an argument
_ARGUMENT = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_LONGEST_DESCRIPTION = 900
#: characters of a schema's JSON
_LONGEST_SCHEMA = 8_000
#: not taken at a schema's root
_UNROOTED = frozenset({"oneOf", "anyOf", "allOf", "not", "enum"})
_WORDS = frozenset({"description", "title"})


def fit_name(server: str, tool: str, taken: Collection[str] = ()) -> str:
    """``server__tool``: a name for ``server.tool`` that vendors take and that is not `taken`."""
    name = _UNFIT.sub("_", f"{server}__{tool}")
    if len(name) <= _LONGEST_NAME and name not in taken:
        return name
    mark = hashlib.sha256(f"{server}.{tool}".encode("utf-8", "replace")).hexdigest()[:8]
    return f"{name[: _LONGEST_NAME - 9]}_{mark}"


def is_allowed(allowed: Collection[str], server: str, tool: str) -> bool:
    """Whether one of `allowed`, servers or single tools as ``server.tool``, names this one."""
    return server in allowed or f"{server}.{tool}" in allowed


def spec_of(server: str, name: str, tool: mcp_types.Tool) -> ToolSpec | str:
    """How a model is shown a tool, or why it is not."""
    schema = {k: v for k, v in tool.input_schema.items() if k not in _UNROOTED}
    schema["type"] = "object"
    properties = schema.setdefault("properties", {})
    if not isinstance(properties, dict) or not all(map(_ARGUMENT.fullmatch, properties)):
        return "its arguments have names that models do not take"
    try:
        text = json.dumps(schema)
    except (ValueError, TypeError, RecursionError):
        return "its schema is no JSON"
    if len(text) > _LONGEST_SCHEMA:
        return f"its schema has {len(text):,} characters, more than {_LONGEST_SCHEMA:,}"
    words = " ".join(visible(tool.description or tool.title or "").split())
    if len(words) > _LONGEST_DESCRIPTION:
        words = f"{words[:_LONGEST_DESCRIPTION]}…"
    return ToolSpec(
        name=name,
        description=f"[Of the MCP server {server}, in its words] {words}".strip(),
        parameters=_seen(schema),
    )


def effects_of(tool: mcp_types.Tool) -> Effects:
    """Its word for it that it only reads decides no more than whether it may run beside others."""
    reads = tool.annotations is not None and tool.annotations.read_only_hint is True
    return Effects.READS if reads else Effects.SENDS


def text_of(result: mcp_types.CallToolResult) -> str:
    """The result as text; what is no text is named."""
    parts = [_part(block) for block in result.content]
    if not any(parts) and result.structured_content is not None:
        parts = [json.dumps(result.structured_content, ensure_ascii=False)]
    return "\n".join(part for part in parts if part) or "(nothing)"


def _part(block: mcp_types.ContentBlock) -> str:
    if isinstance(block, mcp_types.TextContent):
        return block.text
    if isinstance(block, mcp_types.ImageContent | mcp_types.AudioContent):
        return f"[{block.type} {block.mime_type}, {len(block.data) * 3 // 4:,} bytes]"
    if isinstance(block, mcp_types.ResourceLink):
        return f"[resource {block.uri}]"
    resource = block.resource
    if isinstance(resource, mcp_types.TextResourceContents):
        return f"[resource {resource.uri}]\n{resource.text}"
    return f"[resource {resource.uri}, {len(resource.blob) * 3 // 4:,} bytes]"


def _seen(schema: Any) -> Any:
    """The schema with nothing hidden in what it says to a reader."""
    if isinstance(schema, Mapping):
        return {
            key: visible(value) if key in _WORDS and isinstance(value, str) else _seen(value)
            for key, value in schema.items()
        }
    if isinstance(schema, Sequence) and not isinstance(schema, str):
        return [_seen(each) for each in schema]
    return schema
