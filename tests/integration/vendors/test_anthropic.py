"""The Anthropic adapter and the vendor's own SDK, against the stub's sockets."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import traceback
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from brain.errors import (
    BadAnswer,
    ContextOverflow,
    CutShort,
    LoginRefused,
    ModelFailed,
    NoSuchModel,
    Overloaded,
    Passing,
    RateLimited,
    RequestRefused,
    Unreachable,
)
from brain.model import Conversation, Message, Role, Stop, ToolCall, ToolSpec, Usage
from brain.models.anthropic import connect
from brain.models.provider import Key, ModelSpec, Provider
from tests.vendors.anthropic_wire import prompt_too_long
from tests.vendors.script import Call, Cut, Fail, Malformed, Say, Slow, Step, Tokens
from tests.vendors.server import Stub

PATIENCE_S = 5.0
SECRET = "sk-ant-not-a-real-key-0123456789"
KEY = Key(name="env:TEST_KEY", value=SECRET)
NOW = ToolSpec(
    name="now",
    description="The time.",
    parameters={"properties": {"zone": {"type": "string"}}, "required": ["zone"]},
)
HELLO = Conversation(
    system="You are rook.", messages=(Message(role=Role.USER, text="Hello?"),), tools=(NOW,)
)


class Pieces:
    """A reader that keeps what it is given, and tells when the first came."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.first = asyncio.Event()

    def piece(self, text: str) -> None:
        self.texts.append(text)
        self.first.set()

    def anew(self) -> None:
        self.texts.clear()


Connect = Callable[..., Provider]


@pytest.fixture
async def connected(stub: Stub) -> AsyncIterator[Connect]:
    """Makes providers on the stub, with changes to their specification; closes them."""
    made: list[Provider] = []

    def make(**changes: Any) -> Provider:
        given: dict[str, Any] = {
            "name": "main",
            "provider": "anthropic",
            "model": "claude-sonnet-5",
            "base_url": stub.url,
            "timeout_s": PATIENCE_S,
        }
        made.append(connect(ModelSpec(**given | changes)))
        return made[-1]

    yield make
    for provider in made:
        await provider.close()


async def failure(provider: Provider, conversation: Conversation = HELLO) -> ModelFailed:
    with pytest.raises(ModelFailed) as caught:
        await provider.complete(conversation, KEY)
    return caught.value


# --- answers ------------------------------------------------------------------------------------


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


# --- tools --------------------------------------------------------------------------------------


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


# --- requests -----------------------------------------------------------------------------------


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


# --- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "kind", "words"),
    [
        (Fail(401), LoginRefused, "env:TEST_KEY"),
        (Fail(402, kind="billing_error"), LoginRefused, "env:TEST_KEY"),
        (Fail(400, "Your credit balance is too low"), LoginRefused, "credit balance"),
        (Fail(403), LoginRefused, "does not have permission"),
        (Fail(404, "model: x"), NoSuchModel, "claude-sonnet-5"),
        (Fail(404, body="<html>nothing here</html>"), NoSuchModel, "base_url"),
        (prompt_too_long(210_000, 200_000), ContextOverflow, "210000 tokens"),
        (
            Fail(400, "input length and `max_tokens` exceed context limit: 199 + 2 > 200"),
            ContextOverflow,
            "claude-sonnet-5",
        ),
        (Fail(400, "tools.0: bad"), RequestRefused, "tools.0: bad"),
        (Fail(413), RequestRefused, "413"),
        (Fail(422, "no"), RequestRefused, "422"),
        (Fail(302, body=""), RequestRefused, "302"),
        (Fail(429), RateLimited, "env:TEST_KEY"),
        (Fail(500), Overloaded, "500"),
        (Fail(502, body="<html>bad gateway</html>"), Overloaded, "502"),
        (Fail(503, body=""), Overloaded, "503"),
        (Fail(529), Overloaded, "529"),
        (Fail(529, amid=Say("Half of")), Overloaded, "529"),
        (Fail(429, amid=Say("Half of")), RateLimited, "no more requests"),
        (Say(""), BadAnswer, "empty"),
        (Say(" \n", ending="length"), BadAnswer, "tokens were used up"),
        (Malformed(""), BadAnswer, "no message"),
        (Malformed("<html>hello</html>"), BadAnswer, "no message"),
        (Malformed("event: message_start\ndata: {oops\n\n"), BadAnswer, "no message"),
        (Malformed("event: message_start\ndata: [1]\n\n"), BadAnswer, "no message"),
        (Malformed('event: message_stop\ndata: {"type": "message_stop"}\n\n'), BadAnswer, "no"),
        (Cut(6, Say("This is the answer.")), CutShort, "middle"),
        (Cut(6, Say("This is the answer."), politely=True), CutShort, "middle"),
        (Cut(9, Say("", (Call("now", {"zone": "Oslo"}),))), CutShort, "middle"),
    ],
)
@pytest.mark.parametrize("streaming", [True, False])
async def test_each_failure_has_its_error_and_a_sentence_that_helps(
    stub: Stub,
    connected: Connect,
    step: Step,
    kind: type[ModelFailed],
    words: str,
    *,
    streaming: bool,
) -> None:
    if not streaming and isinstance(step, Cut | Malformed):
        pytest.skip("streams are cut and malformed in other ways")
    stub.script.then(step)
    error = await failure(connected(streaming=streaming))
    assert type(error) is kind
    assert words in str(error)
    assert stub.script.count == 1
    assert str(error) == str(error).strip()
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (Cut(30, Say("This is the answer.")), Unreachable),
        (Malformed('{"oops'), BadAnswer),
        (Malformed("<html>hello</html>"), BadAnswer),
        (Malformed('{"type": "message"}'), BadAnswer),
        (Malformed("[]"), BadAnswer),
    ],
)
async def test_an_answer_in_one_piece_can_be_broken_too(
    stub: Stub, connected: Connect, step: Step, kind: type[ModelFailed]
) -> None:
    stub.script.then(step)
    assert type(await failure(connected(streaming=False))) is kind


async def test_the_wait_that_the_provider_asks_for_is_kept(stub: Stub, connected: Connect) -> None:
    stub.script.then(Fail(429, retry_after_s=17), Fail(529, retry_after_s=3), Fail(529))
    provider = connected()
    errors = [await failure(provider) for _ in range(3)]
    assert [isinstance(e, Passing) and e.retry_after_s for e in errors] == [17.0, 3.0, None]


async def test_what_was_billed_is_known_although_it_is_no_answer(
    stub: Stub, connected: Connect
) -> None:
    stub.script.then(Say("", usage=Tokens(input_tokens=40, output_tokens=2)))
    provider = connected()
    assert (await failure(provider)).usage == Usage(input_tokens=40, output_tokens=2)
    stub.script.then(Fail(529, amid=Say("Half")), Fail(529), Cut(3, Say("Half of it")))
    assert [(await failure(provider)).maybe_billed for _ in range(3)] == [True, False, True]


async def test_silence_ends_as_unreachable_before_the_answer_and_as_cut_within(
    stub: Stub, connected: Connect
) -> None:
    stub.script.then(
        Slow(Say("Hello."), before_s=PATIENCE_S), Slow(Say("Hello you."), between_s=PATIENCE_S)
    )
    provider = connected(timeout_s=0.2)
    error = await failure(provider)
    assert type(error) is Unreachable
    assert "0.2 s" in str(error)
    assert type(await failure(provider)) is CutShort
    for asked in stub.script.requests:
        await asyncio.wait_for(asked.closed.wait(), PATIENCE_S)


async def test_a_long_answer_is_no_silence(stub: Stub, connected: Connect) -> None:
    stub.script.then(Slow(Say("a b c d e f g h"), between_s=0.1))
    completion = await connected(timeout_s=0.5).complete(HELLO, KEY)
    assert completion.text == "a b c d e f g h"


async def test_nobody_at_the_address_is_unreachable(connected: Connect, unused_port: int) -> None:
    error = await failure(connected(base_url=f"http://127.0.0.1:{unused_port}"))
    assert type(error) is Unreachable
    assert str(unused_port) in str(error)


@pytest.fixture
async def unused_port() -> int:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    return port


@pytest.mark.parametrize("key", [None, Key(name="env:EMPTY", value="")])
async def test_a_missing_key_is_said_before_anything_is_sent(
    stub: Stub, connected: Connect, key: Key | None
) -> None:
    with pytest.raises(LoginRefused, match=r"\[models.main\]"):
        await connected().complete(HELLO, key)
    assert stub.script.count == 0


async def test_unknown_keys_and_models_are_refused_as_the_vendor_does(
    stub: Stub, connected: Connect
) -> None:
    stub.script.keys, stub.script.models = {"sk-ant-right"}, {"claude-right"}
    assert type(await failure(connected())) is LoginRefused
    stub.script.keys = {SECRET}
    assert type(await failure(connected())) is NoSuchModel


# --- cancelling ---------------------------------------------------------------------------------


@pytest.mark.parametrize("streaming", [True, False])
async def test_cancelling_before_the_answer_closes_the_socket(
    stub: Stub, connected: Connect, *, streaming: bool
) -> None:
    stub.script.then(Slow(Say("Never."), before_s=PATIENCE_S))
    task = asyncio.create_task(connected(streaming=streaming).complete(HELLO, KEY))
    async with asyncio.timeout(PATIENCE_S):
        await stub.script.asked()
        assert await _closed_after_s(stub, task) <= 0.05


async def test_cancelling_amid_the_answer_closes_the_socket(stub: Stub, connected: Connect) -> None:
    stub.script.then(Slow(Say("One two three."), between_s=PATIENCE_S))
    reader = Pieces()
    task = asyncio.create_task(connected().complete(HELLO, KEY, reader))
    async with asyncio.timeout(PATIENCE_S):
        await reader.first.wait()
        assert await _closed_after_s(stub, task) <= 0.05
    assert reader.texts == ["One"]


async def _closed_after_s(stub: Stub, task: asyncio.Task[Any]) -> float:
    cancelled_at = time.perf_counter()
    task.cancel()
    await stub.script.last.closed.wait()
    assert stub.script.last.closed_at is not None
    with pytest.raises(asyncio.CancelledError):
        await task
    return stub.script.last.closed_at - cancelled_at


# --- secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [
        Fail(401, f"invalid x-api-key {SECRET}, or sk-ant-n...789"),
        Fail(500, SECRET),
        Fail(529, amid=Say("Half")),
        Fail(502, body=SECRET),
        Malformed(SECRET),
        Cut(3, Say("Half of it")),
        Slow(Say("Late."), before_s=PATIENCE_S),
    ],
)
async def test_no_key_in_errors_their_causes_or_logs(
    stub: Stub, connected: Connect, step: Step, caplog: pytest.LogCaptureFixture
) -> None:
    stub.script.then(step)
    with caplog.at_level(logging.DEBUG):
        error = await failure(connected(timeout_s=0.3))
    assert error.__cause__ is None
    assert error.__context__ is None
    told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert stub.script.last.key == SECRET
    for text in (str(error), repr(error), repr(vars(error)), told, caplog.text):
        assert "sk-ant" not in text


async def test_a_key_that_cannot_be_sent_is_not_shown_either(
    stub: Stub, connected: Connect
) -> None:
    for value in (f"{SECRET}\n", f"{SECRET} ", f"{SECRET}ö"):
        with pytest.raises(LoginRefused, match="env:BROKEN") as caught:
            await connected().complete(HELLO, Key(name="env:BROKEN", value=value))
        assert "sk-ant" not in str(caught.value)
    assert stub.script.count == 0


# --- streams by hand ----------------------------------------------------------------------------


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
