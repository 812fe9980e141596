"""Chat completions of Ollama, vLLM, llama.cpp and others, against the stub's sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from brain.errors import BadAnswer, Overloaded, RequestRefused
from brain.model import Conversation, Message, Role, Stop, ToolCall, Usage
from brain.models.openai_client import NO_KEY
from tests.integration.vendors.openai_stage import (
    CLOCK,
    HELLO,
    KEY,
    TOLD,
    Connect,
    Pieces,
    called,
    connecting,
    failing,
)
from tests.vendors.chat_wire import Chat
from tests.vendors.script import Call, Malformed, Say, Script, Tokens
from tests.vendors.server import Stub, serving

SPENT = Tokens(input_tokens=7, output_tokens=3, cache_read_tokens=900, cache_write_tokens=80)
PLAIN = replace(HELLO, tools=())


@pytest.fixture
async def connected(stub: Stub) -> AsyncIterator[Connect]:
    async with connecting(stub, "compatible") as connect:
        yield connect


# --- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("streaming", [True, False])
async def test_an_answer_and_what_it_used(
    stub: Stub, connected: Connect, *, streaming: bool
) -> None:
    stub.script.then(Say("Good morning to you.", usage=SPENT))
    reader = Pieces()
    completion = await connected(streaming=streaming).complete(HELLO, KEY, reader)
    assert completion.text == "Good morning to you."
    assert reader.texts == (["Good", " morning", " to", " you."] if streaming else [])
    assert (completion.stop, completion.notes) == (Stop.DONE, ())
    assert completion.usage == Usage(**vars(SPENT)) == Usage(**vars(stub.script.last.billed))


@pytest.mark.parametrize("streaming", [True, False])
async def test_tools_are_asked_for_together(
    stub: Stub, connected: Connect, *, streaming: bool
) -> None:
    calls = (Call("clock", {"zone": "UTC"}), Call("clock", {"zone": "a b"}), Call("clock", "{zo"))
    stub.script.then(Say("I look.", calls))
    completion = await connected(streaming=streaming, tools=True).complete(HELLO, KEY)
    assert completion.text == "I look."
    assert called(completion) == [
        ("clock", {"zone": "UTC"}),
        ("clock", {"zone": "a b"}),
        ("clock", {}),
    ]
    assert [call.unreadable for call in completion.tool_calls] == ["", "", "{zo"]
    assert completion.stop is Stop.TOOLS


@pytest.mark.parametrize("streaming", [True, False])
async def test_stops_at_the_limit_and_refusals_are_told_apart(
    stub: Stub, connected: Connect, *, streaming: bool
) -> None:
    stub.script.then(
        Say("Cut he", ending="length"),
        Say("", ending="length"),
        Say("", ending="refused"),
    )
    provider = connected(streaming=streaming)
    found = [await provider.complete(HELLO, KEY) for _ in range(3)]
    assert [(c.stop, c.text) for c in found] == [
        (Stop.LENGTH, "Cut he"),
        (Stop.LENGTH, ""),
        (Stop.REFUSED, ""),
    ]


# --- requests -------------------------------------------------------------------------------------


async def test_what_all_servers_know_is_asked(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Yes."), Say("Yes."))
    schema = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    asked = replace(HELLO, json_schema=schema, max_output_tokens=77)
    await connected(tools=True, json_schema=True).complete(asked, KEY)
    function = {"name": "clock", "description": "The time.", "parameters": CLOCK.parameters}
    form = {"name": "answer", "schema": schema, "strict": True}
    assert stub.script.last.body == {
        "model": "gpt-5-mini",
        "messages": [
            {"role": "system", "content": "You are rook."},
            {"role": "user", "content": "Hello?"},
        ],
        "max_tokens": 77,
        "tools": [{"type": "function", "function": function}],
        "response_format": {"type": "json_schema", "json_schema": form},
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    await connected(streaming=False).complete(replace(PLAIN, system=""), KEY)
    assert stub.script.last.body == {
        "model": "gpt-5-mini",
        "messages": [{"role": "user", "content": "Hello?"}],
        "max_tokens": 1024,
        "stream": False,
    }


async def test_calls_and_what_they_found_go_back(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Noon."))
    assert (await connected(tools=True).complete(TOLD, KEY)).text == "Noon."
    assert stub.script.last.has_result
    turn, first, second = stub.script.last.body["messages"][2:]
    assert turn["content"] == "I look."
    assert [call["function"]["arguments"] for call in turn["tool_calls"]] == [
        '{"zone": "UTC"}',
        "{}",
    ]
    assert first == {"role": "tool", "tool_call_id": "a1", "content": "12:00"}
    assert second == {"role": "tool", "tool_call_id": "a2", "content": "Error: no JSON"}


async def test_a_model_without_tools_is_told_in_words(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Noon."))
    provider = connected(model="gemma3:4b")
    assert not provider.capabilities.tools
    await provider.complete(TOLD, KEY)
    sent = stub.script.last.body
    assert "tools" not in sent
    assert [turn["role"] for turn in sent["messages"]] == ["system", "user", "assistant", "user"]
    assert "12:00" in sent["messages"][-1]["content"]


async def test_a_server_without_keys_gets_a_harmless_one(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Yes."))
    assert (await connected().complete(PLAIN, None)).text == "Yes."
    assert stub.script.last.key == NO_KEY


async def test_empty_turns_are_left_out(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Yes."))
    messages = (Message(role=Role.ASSISTANT), Message(role=Role.USER, text=" "), *HELLO.messages)
    await connected().complete(Conversation(system="", messages=messages), KEY)
    assert stub.script.last.body["messages"] == [{"role": "user", "content": "Hello?"}]


async def test_a_server_that_knows_no_tools_says_so(stub: Stub, connected: Connect) -> None:
    half = replace(TOLD, messages=TOLD.messages[:2])
    failed = await failing(connected(tools=True), half)
    assert isinstance(failed, RequestRefused)
    assert "must be followed by tool messages" in str(failed)


# --- dialects -------------------------------------------------------------------------------------


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_server_that_tells_no_usage_is_estimated_and_that_is_said(
    *, streaming: bool
) -> None:
    script = Script(Say("Good morning to you all, and a fine day."))
    async with (
        serving(script, wires=(Chat(tells_usage=False),)) as stub,
        connecting(stub, "compatible") as connect,
    ):
        completion = await connect(streaming=streaming).complete(PLAIN, None)
    assert 8 <= completion.usage.output_tokens <= 16
    assert completion.usage.input_tokens >= 5
    assert completion.notes == ("main tells no usage: its tokens are estimated",)


async def test_a_server_is_asked_as_it_wants_to_be_from_then_on() -> None:
    script = Script(Say("Yes."), Say("No."))
    wire = Chat(knows_stream_options=False, knows_max_tokens=False, tells_usage=False)
    async with (
        serving(script, wires=(wire,)) as stub,
        connecting(stub, "compatible") as connect,
    ):
        provider = connect()
        for _ in range(2):
            failed = await failing(provider, PLAIN, None)
            assert isinstance(failed, Overloaded)
            assert failed.retry_after_s == 0.0
            assert not failed.maybe_billed
        assert (await provider.complete(PLAIN, None)).text == "Yes."
        assert (await provider.complete(PLAIN, None)).text == "No."
        assert stub.script.last.body["max_completion_tokens"] == 1024
        assert stub.script.count == 4


async def test_ids_that_are_missing_or_repeated_become_unique() -> None:
    calls = (Call("clock"), Call("clock"), Call("clock"))
    script = Script(Say(tools=calls))
    earlier = (
        Message(role=Role.ASSISTANT, tool_calls=(ToolCall(id="call_0", name="clock"),)),
        Message(role=Role.TOOL, text="12:00", tool_call_id="call_0"),
    )
    conversation = replace(HELLO, messages=(*HELLO.messages, *earlier))
    async with (
        serving(script, wires=(Chat(call_ids=("call_0", "", "call_0")),)) as stub,
        connecting(stub, "compatible") as connect,
    ):
        completion = await connect(tools=True, streaming=False).complete(conversation, None)
    ids = [call.id for call in completion.tool_calls]
    assert len({*ids, "call_0", ""}) == 5


def _chunks(*deltas: dict[str, Any], finish: str | None = "stop") -> Malformed:
    """A stream by hand, its last chunk with the reason to finish."""
    choices = [{"index": 0, "delta": delta} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    data = [json.dumps({"id": "c", "choices": [choice]}) for choice in choices]
    return Malformed("".join(f"data: {line}\n\n" for line in [*data, "[DONE]"]))


def _part(call_id: str | None, name: str | None, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": 0, "id": call_id, "function": function}]}


async def test_arguments_may_come_as_an_object(stub: Stub, connected: Connect) -> None:
    function = {"name": "clock", "arguments": {"zone": "UTC"}}
    message = {"content": "", "tool_calls": [{"type": "function", "function": function}]}
    usage = {"prompt_tokens": 0, "completion_tokens": 0}
    body = {"choices": [{"message": message, "finish_reason": "tool_calls"}], "usage": usage}
    stub.script.then(Malformed(json.dumps(body)))
    completion = await connected(tools=True, streaming=False).complete(HELLO, KEY)
    assert called(completion) == [("clock", {"zone": "UTC"})]
    # Who counts nothing has told nothing.
    assert completion.usage.input_tokens > 0


async def test_a_server_that_gives_every_call_the_same_index(
    stub: Stub, connected: Connect
) -> None:
    stub.script.then(
        _chunks(
            _part("a", "clock", '{"zone":'),
            _part(None, None, ' "UTC"}'),
            _part("b", "clock", "{}"),
            finish="tool_calls",
        )
    )
    completion = await connected(tools=True).complete(HELLO, KEY)
    assert [(c.id, dict(c.arguments)) for c in completion.tool_calls] == [
        ("a", {"zone": "UTC"}),
        ("b", {}),
    ]


async def test_fields_that_only_some_servers_send_are_passed_over(
    stub: Stub, connected: Connect
) -> None:
    thinking = {"reasoning_content": "Two and two.", "reasoning": "Four?", "content": None}
    stub.script.then(_chunks({"role": "assistant", "content": None}, thinking, {"content": "4"}))
    reader = Pieces()
    assert (await connected().complete(PLAIN, KEY, reader)).text == "4"
    assert reader.texts == ["4"]


async def test_thoughts_between_tags_are_not_said(stub: Stub, connected: Connect) -> None:
    text = "<think>Two and two.</think>\n\nFour, I think."
    stub.script.then(Say(text), Say(text))
    reader = Pieces()
    assert (await connected().complete(PLAIN, KEY, reader)).text == "Four, I think."
    assert "".join(reader.texts) == "Four, I think."
    assert (await connected(streaming=False).complete(PLAIN, KEY)).text == "Four, I think."


async def test_a_refusal_in_words(stub: Stub, connected: Connect) -> None:
    stub.script.then(_chunks({"refusal": "I will"}, {"refusal": " not."}))
    completion = await connected().complete(PLAIN, KEY)
    assert (completion.stop, completion.text) == (Stop.REFUSED, "I will not.")


@pytest.mark.parametrize(
    "body",
    [
        {"choices": []},
        {"choices": [{"message": None}]},
        {"choices": "none"},
        {"error": {"message": "the request exceeds something"}},
        {"choices": [{"message": {"content": [1, 2]}, "finish_reason": "stop"}]},
        {"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": "many"}},
        {"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": -3}},
        {"choices": [{"message": {"tool_calls": [{"function": {"arguments": "{}"}}]}}]},
    ],
)
async def test_an_answer_of_another_form_is_bad(
    stub: Stub, connected: Connect, body: dict[str, Any]
) -> None:
    stub.script.then(Malformed(json.dumps(body)))
    assert isinstance(await failing(connected(streaming=False)), BadAnswer)
