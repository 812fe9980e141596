"""OpenAI's Responses API through its own SDK, against the stub's sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from brain.errors import NoSuchModel, RequestRefused
from brain.model import Conversation, Message, Role, Stop, Usage
from tests.integration.vendors.openai_stage import (
    CLOCK,
    HELLO,
    KEY,
    PATIENCE_S,
    TOLD,
    Connect,
    Pieces,
    called,
    connecting,
    failing,
)
from tests.vendors.script import Call, Say, Slow, Tokens
from tests.vendors.server import Stub

SPENT = Tokens(input_tokens=7, output_tokens=3, cache_read_tokens=900, cache_write_tokens=80)
CLOSED = {
    "type": "object",
    "properties": {"yes": {"type": "boolean"}},
    "required": ["yes"],
    "additionalProperties": False,
}


@pytest.fixture
async def connected(stub: Stub) -> AsyncIterator[Connect]:
    async with connecting(stub, "openai") as connect:
        yield connect


# --- answers ------------------------------------------------------------------------------------


async def test_an_answer_is_streamed_piece_by_piece(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Good morning to you.", usage=SPENT))
    reader = Pieces()
    completion = await connected().complete(HELLO, KEY, reader)
    assert completion.text == "Good morning to you."
    assert reader.texts == ["Good", " morning", " to", " you."]
    assert completion.stop is Stop.DONE
    assert completion.usage == Usage(**vars(SPENT))
    assert completion.notes == ()


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


@pytest.mark.parametrize("streaming", [True, False])
async def test_tools_are_asked_for_together(
    stub: Stub, connected: Connect, *, streaming: bool
) -> None:
    calls = (Call("clock", {"zone": "UTC"}), Call("clock", "null"), Call("clock", ""))
    stub.script.then(Say("I look.", calls, usage=SPENT))
    completion = await connected(streaming=streaming).complete(HELLO, KEY)
    assert stub.script.last.streams is streaming
    assert completion.text == "I look."
    assert called(completion) == [
        ("clock", {"zone": "UTC"}),
        ("clock", {}),
        ("clock", {}),
    ]
    assert len({call.id for call in completion.tool_calls}) == 3
    assert completion.stop is Stop.TOOLS
    assert completion.usage == Usage(**vars(SPENT))


@pytest.mark.parametrize("arguments", ['{"zone": "U', "[1]", "zone", '"{}"', "7"])
async def test_arguments_that_are_no_object_are_kept_for_the_loop(
    stub: Stub, connected: Connect, arguments: str
) -> None:
    stub.script.then(Say(tools=(Call("clock", arguments),)))
    (call,) = (await connected().complete(HELLO, KEY)).tool_calls
    assert (call.name, call.arguments, call.unreadable) == ("clock", {}, arguments)


@pytest.mark.parametrize("streaming", [True, False])
async def test_stops_at_the_limit_and_refusals_are_told_apart(
    stub: Stub, connected: Connect, *, streaming: bool
) -> None:
    stub.script.then(
        Say("Cut he", ending="length", usage=SPENT),
        Say("", ending="length", usage=SPENT),
        Say("I will not.", ending="refused", usage=SPENT),
        Say("", ending="refused", usage=SPENT),
    )
    provider = connected(streaming=streaming)
    found = [await provider.complete(HELLO, KEY, Pieces()) for _ in range(4)]
    assert [(c.stop, c.text) for c in found] == [
        (Stop.LENGTH, "Cut he"),
        (Stop.LENGTH, ""),
        (Stop.REFUSED, "I will not."),
        (Stop.REFUSED, ""),
    ]
    assert {c.usage for c in found} == {Usage(**vars(SPENT))}


async def test_a_refusal_is_streamed_too(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("I will not.", ending="refused"))
    reader = Pieces()
    completion = await connected().complete(HELLO, KEY, reader)
    assert "".join(reader.texts) == completion.text == "I will not."


async def test_what_was_used_agrees_with_the_bill(stub: Stub, connected: Connect) -> None:
    stub.script.choose = lambda asked: Say("Yes.", usage=SPENT) if asked.streams else Say("No.")
    streamed, whole = connected(), connected(streaming=False)
    used = Usage()
    for _ in range(5):
        used += (await streamed.complete(HELLO, KEY, Pieces())).usage
        used += (await whole.complete(HELLO, KEY)).usage
    assert used == Usage(**vars(stub.script.bill["gpt-5-mini"]))
    assert used.cache_read_tokens == 5 * 900


async def test_one_connection_serves_one_answer_after_another(
    stub: Stub, connected: Connect
) -> None:
    stub.script.then(*[Say("Yes.")] * 5)
    provider = connected()
    for _ in range(5):
        await provider.complete(HELLO, KEY)
    assert stub.connections == 1


# --- requests -------------------------------------------------------------------------------------


async def test_nothing_is_kept_at_the_vendor(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Yes."))
    await connected(max_output_tokens=500).complete(HELLO, KEY)
    sent = dict(stub.script.last.body)
    assert sent.pop("tools")[0] == {
        "type": "function",
        "name": "clock",
        "description": "The time.",
        "parameters": CLOCK.parameters,
        "strict": False,
    }
    assert sent == {
        "model": "gpt-5-mini",
        "instructions": "You are rook.",
        "input": [{"role": "user", "content": "Hello?"}],
        "max_output_tokens": 500,
        "store": False,
        "stream": True,
    }


async def test_calls_and_what_they_found_go_back(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Noon."))
    assert (await connected().complete(TOLD, KEY)).text == "Noon."
    assert stub.script.last.has_result
    assert stub.script.last.body["input"][1:] == [
        {"role": "assistant", "content": "I look."},
        {
            "type": "function_call",
            "call_id": "a1",
            "name": "clock",
            "arguments": '{"zone": "UTC"}',
        },
        {"type": "function_call", "call_id": "a2", "name": "clock", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a1", "output": "12:00"},
        {"type": "function_call_output", "call_id": "a2", "output": "Error: no JSON"},
    ]


async def test_a_model_without_tools_is_told_in_words(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Noon."))
    await connected(tools=False).complete(TOLD, KEY)
    sent = stub.script.last.body
    assert "tools" not in sent
    assert {item["role"] for item in sent["input"]} == {"user", "assistant"}
    assert "12:00" in sent["input"][-1]["content"]


@pytest.mark.parametrize(
    ("schema", "is_strict"),
    [
        (CLOSED, True),
        ({**CLOSED, "required": []}, False),
        ({**CLOSED, "additionalProperties": True}, False),
        ({**CLOSED, "properties": {"yes": {"type": "object"}}}, False),
        ({**CLOSED, "properties": {"yes": {"type": "array", "items": CLOSED}}}, True),
        ({**CLOSED, "properties": {"yes": {"anyOf": [CLOSED, {"type": "null"}]}}}, True),
    ],
)
async def test_an_answer_is_held_to_a_schema_as_far_as_can_be(
    stub: Stub, connected: Connect, schema: dict[str, Any], *, is_strict: bool
) -> None:
    stub.script.then(Say('{"yes": true}'), Say("yes"))
    conversation = Conversation(system="", messages=HELLO.messages, json_schema=schema)
    await connected().complete(conversation, KEY)
    assert stub.script.last.body["text"] == {
        "format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": is_strict}
    }
    await connected(json_schema=False).complete(conversation, KEY)
    assert "text" not in stub.script.last.body


async def test_the_most_that_may_be_answered_is_the_conversations(
    stub: Stub, connected: Connect
) -> None:
    stub.script.then(Say("Yes."))
    await connected().complete(replace(HELLO, max_output_tokens=77), KEY)
    assert stub.script.last.body["max_output_tokens"] == 77


async def test_empty_turns_are_left_out(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Yes."))
    messages = (Message(role=Role.ASSISTANT), Message(role=Role.USER, text=" "), *HELLO.messages)
    await connected().complete(Conversation(system="", messages=messages), KEY)
    assert stub.script.last.body["input"] == [{"role": "user", "content": "Hello?"}]
    assert "instructions" not in stub.script.last.body


async def test_what_the_vendor_has_rules_for_is_said(stub: Stub, connected: Connect) -> None:
    half = replace(TOLD, messages=TOLD.messages[:2])
    failed = await failing(connected(), half)
    assert isinstance(failed, RequestRefused)
    assert "No tool output found for function call a1" in str(failed)


async def test_a_model_that_does_not_exist(stub: Stub, connected: Connect) -> None:
    stub.script.models = {"gpt-5-mini"}
    failed = await failing(connected(model="gpt-9"))
    assert isinstance(failed, NoSuchModel)
    assert "'gpt-9'" in str(failed)
