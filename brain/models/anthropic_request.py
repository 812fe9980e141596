"""A conversation as a request to Anthropic's Messages API. Pure: values in, parameters out.

Source: platform.claude.com/docs "Messages", "Tool use", "Prompt caching", "Structured outputs".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from anthropic import transform_schema
from anthropic.types import (
    CacheControlEphemeralParam,
    MessageParam,
    OutputConfigParam,
    TextBlockParam,
    ToolParam,
    ToolResultBlockParam,
    ToolUseBlockParam,
)
from anthropic.types.message_create_params import MessageCreateParamsBase

from brain.model import Capabilities, Conversation, Message, Role, ToolSpec
from brain.models.fitting import fitted
from brain.models.provider import ModelSpec

Block = TextBlockParam | ToolUseBlockParam | ToolResultBlockParam

_KEEP: CacheControlEphemeralParam = {"type": "ephemeral"}
_NOTHING_BEFORE = "(What was said before this is left out.)"


def request_of(
    conversation: Conversation, spec: ModelSpec, capabilities: Capabilities
) -> MessageCreateParamsBase:
    """The parameters of `messages.create`, but for `stream`.

    Up to two breakpoints for the prompt cache: tools and system prompt are the same in every
    turn; and where tools are on offer the last message is, too, in the next step of this one.
    """
    if not conversation.tools or not capabilities.tools:
        # Without tools on offer the API takes neither calls nor results.
        capabilities = dataclasses.replace(capabilities, tools=False)
    conversation = fitted(conversation, capabilities)
    request: MessageCreateParamsBase = {
        "model": spec.model,
        "max_tokens": conversation.max_output_tokens or spec.max_output_tokens,
        "messages": _turns(conversation.messages, goes_on=bool(conversation.tools)),
    }
    if conversation.system.strip():
        request["system"] = [
            {"type": "text", "text": conversation.system, "cache_control": _KEEP},
        ]
    if conversation.tools:
        params = [_tool(tool) for tool in conversation.tools]
        if "system" not in request:
            params[-1]["cache_control"] = _KEEP
        request["tools"] = params
    if conversation.json_schema is not None:
        # The schema in the words that the API takes: what it does not check becomes description.
        schema = transform_schema(dict(conversation.json_schema))
        form: OutputConfigParam = {"format": {"type": "json_schema", "schema": schema}}
        request["output_config"] = form
    return request


def _tool(tool: ToolSpec) -> ToolParam:
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": {"type": "object", **tool.parameters},
    }


def _turns(messages: Iterable[Message], *, goes_on: bool) -> list[MessageParam]:
    """Messages whose roles alternate, a person's first, without empty ones; kept in the cache
    when the turn `goes_on`.
    """
    turns: list[tuple[str, list[Block]]] = []
    for message in messages:
        role = "assistant" if message.role is Role.ASSISTANT else "user"
        blocks = list(_blocks(message))
        if not blocks:
            continue
        if not turns and role == "assistant":
            turns.append(("user", [_text(_NOTHING_BEFORE)]))
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        else:
            turns.append((role, blocks))
    if turns and goes_on:
        turns[-1][1][-1]["cache_control"] = _KEEP
    return [_turn(role, blocks) for role, blocks in turns]


def _turn(role: str, blocks: list[Block]) -> MessageParam:
    if role == "assistant":
        return {"role": "assistant", "content": blocks}
    return {"role": "user", "content": blocks}


def _text(text: str) -> TextBlockParam:
    return {"type": "text", "text": text}


def _blocks(message: Message) -> Iterator[Block]:
    if message.role is Role.TOOL:
        yield {
            "type": "tool_result",
            "tool_use_id": message.tool_call_id,
            "content": message.text,
            "is_error": message.is_error,
        }
        return
    if message.text.strip():
        yield _text(message.text)
    for call in message.tool_calls:
        yield {
            "type": "tool_use",
            "id": call.id,
            "name": call.name,
            "input": dict(call.arguments),
        }
