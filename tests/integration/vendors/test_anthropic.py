"""Anthropic's adapter and the vendor's own SDK, against the stub: what is asked and answered."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from brain.model import Conversation, Message, Role, Stop, ToolCall, Usage
from brain.models.provider import Key
from tests.integration.vendors.asking import (
    HELLO,
    KEY,
    NOW,
    PATIENCE_S,
    SECRET,
    Connect,
    Pieces,
)
from tests.vendors.script import Call, Malformed, Say, Slow, Step, Tokens
from tests.vendors.server import Stub

# --- answers --------------------------------------------------------------------------------------


async def test_an_answer_is_streamed_piece_by_piece(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Good morning to you.", usage=Tokens(input_tokens=12, output_tokens=5)))
    reader = Pieces()
    completion = await connected().complete(HELLO, KEY, reader)
    assert completion.text == "Good morning to you."
    assert reader.texts == ["Good", " morning", " to", " you."]
    assert completion.stop is Stop.DONE
    assert completion.usage == Usage(input_tokens=12, output_tokens=5)


async def test_the_reader_has_the_beginning_before_the_end_is_said(
    stub: Stub, connected: Connect
) -> None:
    stub.script.then(Slow(Say("One two."), between_s=PATIENCE_S))
    reader = Pieces()
    task = asyncio.create_task(connected().complete(HELLO, KEY, reader))
    await asyncio.wait_for(reader.first.wait(), PATIENCE_S)
    assert reader.texts == ["One"]
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_model_that_does_not_stream_answers_at_once(stub: Stub, connected: Connect) -> None:
    spent = Tokens(input_tokens=9, output_tokens=2, cache_read_tokens=3, cache_write_tokens=4)
    stub.script.then(Say("All at once.", (Call("now", {"zone": "UTC"}),), usage=spent))
    completion = await connected(streaming=False).complete(HELLO, KEY)
    assert not stub.script.last.streams
    assert completion.text == "All at once."
    assert [(c.name, c.arguments) for c in completion.tool_calls] == [("now", {"zone": "UTC"})]
    assert completion.stop is Stop.TOOLS
    assert completion.usage == Usage(**vars(spent))


async def test_tokens_of_the_cache_are_counted_apart_and_agree_with_the_bill(
    stub: Stub, connected: Connect
) -> None:
    spent = Tokens(input_tokens=7, output_tokens=3, cache_read_tokens=900, cache_write_tokens=80)
    stub.script.then(Say("Yes.", usage=spent), Say("No.", usage=spent))
    provider = connected()
    usage = (await provider.complete(HELLO, KEY)).usage + (
        await provider.complete(HELLO, KEY)
    ).usage
    assert usage == Usage(**vars(stub.script.bill["claude-sonnet-5"]))
    assert usage.cache_read_tokens == 1800


async def test_stops_at_the_limit_and_refusals_are_told_apart(
    stub: Stub, connected: Connect
) -> None:
    stub.script.then(Say("Cut he", ending="length"), Say("", ending="refused"))
    provider = connected()
    assert (await provider.complete(HELLO, KEY)).stop is Stop.LENGTH
    refused = await provider.complete(HELLO, KEY)
    assert (refused.stop, refused.text) == (Stop.REFUSED, "")


async def test_thinking_is_nobodys_to_read(stub: Stub, connected: Connect) -> None:
    stub.script.then(Malformed(_sse(*THOUGHT)))
    reader = Pieces()
    completion = await connected().complete(HELLO, KEY, reader)
    assert completion.text == "Four."
    assert reader.texts == ["Four."]


# --- tools ----------------------------------------------------------------------------------------


async def test_a_tool_goes_there_and_back(stub: Stub, connected: Connect) -> None:
    def choose(asked: Any) -> Step:
        if asked.has_result:
            return Say("It is noon in Oslo, and nowhere else.")
        zones = ({"zone": "Oslo"}, {"zone": "Mars"})
        return Say("Let me see.", tuple(Call("now", zone) for zone in zones))

    stub.script.choose = choose
    provider = connected()
    first = await provider.complete(HELLO, KEY)
    assert first.stop is Stop.TOOLS
    assert [c.arguments for c in first.tool_calls] == [{"zone": "Oslo"}, {"zone": "Mars"}]
    oslo, mars = first.tool_calls
    results = (
        Message(role=Role.TOOL, text="noon", tool_call_id=oslo.id),
        Message(role=Role.TOOL, text="no such zone", tool_call_id=mars.id, is_error=True),
    )
    asked = Message(role=Role.ASSISTANT, text=first.text, tool_calls=first.tool_calls)
    conversation = Conversation(
        system="You are rook.", messages=(*HELLO.messages, asked, *results), tools=(NOW,)
    )
    assert (await provider.complete(conversation, KEY)).text.startswith("It is noon")
    sent = stub.script.last.body["messages"]
    assert [turn["role"] for turn in sent] == ["user", "assistant", "user"]
    assert [(b["tool_use_id"], b["is_error"]) for b in sent[2]["content"]] == [
        (oslo.id, False),
        (mars.id, True),
    ]


@pytest.mark.parametrize(
    "written",
    ['{"zone": "Os', "[1, 2]", '"Oslo"', "[" * 100_000],
    ids=["cut", "list", "text", "deep"],
)
async def test_arguments_that_are_no_object_come_with_what_was_written(
    stub: Stub, connected: Connect, written: str
) -> None:
    stub.script.then(Say("", (Call("now", written),)))
    (call,) = (await connected().complete(HELLO, KEY)).tool_calls
    assert (call.name, call.arguments, call.unreadable) == ("now", {}, written)


async def test_a_tool_without_arguments_gets_none(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("", (Call("now", ""),)))
    (call,) = (await connected().complete(HELLO, KEY)).tool_calls
    assert (call.arguments, call.unreadable) == ({}, "")


async def test_calls_that_were_made_are_told_in_words_when_no_tools_are_on_offer(
    stub: Stub, connected: Connect
) -> None:
    stub.script.then(Say("Noon."))
    messages = (
        *HELLO.messages,
        Message(role=Role.ASSISTANT, tool_calls=(ToolCall(id="a", name="now"),)),
        Message(role=Role.TOOL, text="12:00", tool_call_id="a"),
    )
    await connected().complete(Conversation(system="", messages=messages), KEY)
    sent = stub.script.last.body
    assert "tools" not in sent
    assert "12:00" in sent["messages"][-1]["content"][0]["text"]


# --- requests -------------------------------------------------------------------------------------


async def test_roles_alternate_and_empty_texts_are_left_out(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Well."))
    said = [
        (Role.ASSISTANT, "I was first."),
        (Role.USER, "One."),
        (Role.USER, " "),
        (Role.USER, "Two."),
        (Role.ASSISTANT, ""),
        (Role.USER, "Three?"),
    ]
    messages = tuple(Message(role=role, text=text) for role, text in said)
    await connected().complete(Conversation(system=" ", messages=messages), KEY)
    sent = stub.script.last.body
    assert "system" not in sent
    turns = [(t["role"], [b["text"] for b in t["content"]]) for t in sent["messages"]]
    # Whether two texts are one block or two is the same to the model.
    assert [role for role, _ in turns] == ["user", "assistant", "user"]
    assert "".join(turns[2][1]).replace("\n", "").strip() in {"One. Two.Three?", "One.Two.Three?"}


async def test_the_prompt_cache_is_asked_to_keep_what_the_next_step_says_again(
    stub: Stub, connected: Connect
) -> None:
    stub.script.then(Say("a"), Say("b"), Say("c"))
    provider = connected()
    kept = {"type": "ephemeral"}
    await provider.complete(HELLO, KEY)
    sent = stub.script.last.body
    assert sent["system"][0]["cache_control"] == kept
    assert sent["messages"][-1]["content"][-1]["cache_control"] == kept
    assert "cache_control" not in sent["tools"][0]
    await provider.complete(Conversation(system="", messages=HELLO.messages, tools=(NOW,)), KEY)
    assert stub.script.last.body["tools"][-1]["cache_control"] == kept
    await provider.complete(Conversation(system="Sum it up.", messages=HELLO.messages), KEY)
    # Nobody says it again: keeping it would cost and bring nothing.
    assert "cache_control" not in stub.script.last.body["messages"][-1]["content"][-1]


async def test_a_schema_and_a_limit_go_with_the_request(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say('{"yes": true}'), Say('{"yes": true}'))
    schema = {"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"]}
    conversation = Conversation(
        system="", messages=HELLO.messages, json_schema=schema, max_output_tokens=77
    )
    await connected(json_schema=True).complete(conversation, KEY)
    sent = stub.script.last.body
    assert sent["max_tokens"] == 77
    assert sent["output_config"]["format"]["type"] == "json_schema"
    assert sent["output_config"]["format"]["schema"]["additionalProperties"] is False
    await connected(json_schema=False, max_output_tokens=500).complete(
        Conversation(system="", messages=HELLO.messages, json_schema=schema), KEY
    )
    assert "output_config" not in stub.script.last.body
    assert stub.script.last.body["max_tokens"] == 500


async def test_keys_take_turns_on_the_same_connection(stub: Stub, connected: Connect) -> None:
    stub.script.then(*[Say("Yes.")] * 4)
    provider = connected()
    other = Key(name="env:OTHER", value="sk-ant-other")
    renewed = Key(name="env:OTHER", value="sk-ant-renewed")
    for key in (KEY, other, KEY, renewed):
        await provider.complete(HELLO, key)
    assert [asked.key for asked in stub.script.requests] == [
        SECRET,
        "sk-ant-other",
        SECRET,
        "sk-ant-renewed",
    ]
    assert stub.connections == 1


# --- streams by hand ------------------------------------------------------------------------------


THOUGHT: tuple[dict[str, Any], ...] = (
    {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-5",
            "content": [],
            "stop_reason": None,
            "usage": {"input_tokens": 3, "output_tokens": 1},
        },
    },
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "thinking", "thinking": "", "signature": ""},
    },
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "thinking_delta", "thinking": "Two and two."},
    },
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "signature_delta", "signature": "c2ln"},
    },
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Four."}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "news_delta", "news": "?"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "something_new", "index": 1},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 9},
    },
    {"type": "message_stop"},
)


def _sse(*events: dict[str, Any]) -> str:
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)
