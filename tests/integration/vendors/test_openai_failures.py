"""What goes wrong between us and OpenAI, or a server like it: both adapters, over real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

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
from brain.model import Conversation, Message, Role, Usage
from tests.integration.vendors.openai_stage import (
    HELLO,
    KEY,
    PATIENCE_S,
    Connect,
    Pieces,
    connecting,
    failing,
)
from tests.vendors.script import Cut, Fail, Malformed, Say, Slow, Step, Tokens
from tests.vendors.server import Stub

#: in the words of OpenAI, OpenAI, vLLM, vLLM, llama.cpp and Ollama
TOO_LONG = (
    "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "You passed 1015 input tokens. However, the model's context length is only 1024 tokens.",
    "The decoder prompt (length 9000) is longer than the maximum model length of 4096.",
    "request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it",
    "prompt too long; exceeded max context length by 3 tokens",
)


@pytest.fixture(params=["openai", "compatible"])
async def connected(request: pytest.FixtureRequest, stub: Stub) -> AsyncIterator[Connect]:
    async with connecting(stub, request.param) as connect:
        yield connect


@pytest.mark.parametrize(
    ("fail", "kind", "words"),
    [
        (Fail(401), LoginRefused, "refuses the key env:TEST_KEY"),
        (Fail(403), LoginRefused, "refuses the key env:TEST_KEY"),
        (Fail(400, "bad key", kind="invalid_api_key"), LoginRefused, "env:TEST_KEY"),
        (Fail(402, "Payment required"), LoginRefused, "no credit left"),
        (Fail(429, "Check your plan.", kind="insufficient_quota"), LoginRefused, "no credit left"),
        (Fail(404), NoSuchModel, "knows no model 'gpt-5-mini', or 'base_url' is wrong"),
        (Fail(404, body="<html>404</html>"), NoSuchModel, "'base_url' is wrong"),
        (Fail(429), RateLimited, "too often"),
        (Fail(429, "Request too large for gpt-5-mini on TPM"), ContextOverflow, "longer"),
        (Fail(500), Overloaded, "at the moment"),
        (Fail(502, body="<html>Bad Gateway</html>"), Overloaded, "at the moment"),
        (Fail(503), Overloaded, "at the moment"),
        (Fail(529), Overloaded, "at the moment"),
        (Fail(408), Unreachable, "no answer in time"),
        (Fail(400, "Unknown thing."), RequestRefused, "refuses the request: Unknown thing."),
        (Fail(400, body="no JSON"), RequestRefused, "no JSON"),
        (Fail(400, body=""), RequestRefused, "status 400"),
        (Fail(400, body='{"error": "in a string"}'), RequestRefused, "in a string"),
        (Fail(413, body="Request Entity Too Large"), RequestRefused, "Too Large"),
        (Fail(422), RequestRefused, "refuses the request"),
        (Fail(307), RequestRefused, "refuses the request"),
        *[(Fail(400, words), ContextOverflow, "longer than main can read") for words in TOO_LONG],
        (Fail(400, kind="context_length_exceeded"), ContextOverflow, "longer"),
        (Fail(500, "Context size has been exceeded."), ContextOverflow, "longer"),
        (Malformed('{"choices": [{"mess'), ModelFailed, "main"),
        (Malformed("[]"), ModelFailed, "main"),
        (Malformed("null"), ModelFailed, "main"),
        (Say(""), BadAnswer, "answered with nothing"),
        (Say("  \n"), BadAnswer, "answered with nothing"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("streaming", [True, False])
async def test_each_failure_has_its_own_sentence(
    stub: Stub,
    connected: Connect,
    fail: Step,
    kind: type[ModelFailed],
    words: str,
    *,
    streaming: bool,
) -> None:
    stub.script.then(fail, Say("It lives."))
    provider = connected(streaming=streaming)
    failed = await failing(provider)
    assert isinstance(failed, kind)
    assert words in str(failed)
    assert (await provider.complete(HELLO, KEY)).text == "It lives."


async def test_how_long_to_wait_is_passed_on(stub: Stub, connected: Connect) -> None:
    stub.script.then(Fail(429, retry_after_s=1.5), Fail(503, retry_after_s=7), Fail(503))
    provider = connected()
    waits = []
    for _ in range(3):
        failed = await failing(provider)
        assert isinstance(failed, Passing)
        waits.append(failed.retry_after_s)
    assert waits == [1.5, 7.0, None]
    assert stub.script.count == 3  # the SDK does not try again by itself


@pytest.mark.parametrize(
    ("fail", "kind"),
    [
        (Fail(500), Overloaded),
        (Fail(429), RateLimited),
        (Fail(400, "It exceeds the context window."), ContextOverflow),
        (Fail(400, kind="invalid_prompt"), CutShort),
    ],
    ids=repr,
)
async def test_an_error_in_the_middle_of_a_stream(
    stub: Stub, connected: Connect, fail: Fail, kind: type[ModelFailed]
) -> None:
    amid = Fail(fail.status, fail.message, kind=fail.kind, amid=Say("This much."))
    stub.script.then(amid)
    reader = Pieces()
    with pytest.raises(kind) as caught:
        await connected().complete(HELLO, KEY, reader)
    assert reader.texts == ["This", " much."]
    assert caught.value.maybe_billed


@pytest.mark.parametrize("politely", [True, False])
async def test_a_cut_stream_is_said_to_be_cut(
    stub: Stub, connected: Connect, *, politely: bool
) -> None:
    stub.script.then(Cut(12, Say("Hello there, how are you?"), politely=politely))
    reader = Pieces()
    with pytest.raises(CutShort) as caught:
        await connected().complete(HELLO, KEY, reader)
    assert "".join(reader.texts) == "Hello there,"
    assert caught.value.maybe_billed


@pytest.mark.parametrize("status", [400, 401, 408, 429, 500, 529])
async def test_a_refusal_is_not_billed(stub: Stub, connected: Connect, status: int) -> None:
    stub.script.then(Fail(status))
    assert not (await failing(connected(streaming=False))).maybe_billed


async def test_half_a_body_is_no_answer(stub: Stub, connected: Connect) -> None:
    stub.script.then(Cut(40, Say("Hello there, how are you?")))
    failed = await failing(connected(streaming=False))
    assert isinstance(failed, Unreachable)
    assert failed.maybe_billed


async def test_json_that_is_cut_in_a_stream(stub: Stub, connected: Connect) -> None:
    stub.script.then(Malformed('data: {"type": "response.output_text.delta", "del\n\n'))
    assert isinstance(await failing(connected()), BadAnswer)


async def test_a_stream_of_something_else_is_cut_or_bad(stub: Stub, connected: Connect) -> None:
    stub.script.then(Malformed('data: {"hello": 1}\n\n'), Malformed("<html>hi</html>"))
    provider = connected()
    assert isinstance(await failing(provider), CutShort | BadAnswer)
    assert isinstance(await failing(provider), CutShort | BadAnswer)


async def test_an_empty_answer_is_paid_as_counted(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("", usage=Tokens(input_tokens=9, output_tokens=2)))
    assert (await failing(connected())).usage == Usage(input_tokens=9, output_tokens=2)


# --- time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("streaming", [True, False])
async def test_silence_before_the_answer(
    stub: Stub, connected: Connect, *, streaming: bool
) -> None:
    stub.script.then(Slow(Say("Too late."), before_s=PATIENCE_S))
    failed = await failing(connected(timeout_s=0.2, streaming=streaming))
    assert isinstance(failed, Unreachable)
    assert "within 0.2 s" in str(failed)
    # Hung up on, a stream is not made; an answer in one piece is.
    assert failed.maybe_billed is not streaming


async def test_silence_amid_the_answer(stub: Stub, connected: Connect) -> None:
    stub.script.then(Slow(Say("One two."), between_s=PATIENCE_S))
    failed = await failing(connected(timeout_s=0.2))
    assert isinstance(failed, CutShort)
    assert "silent for 0.2 s" in str(failed)


async def test_a_slow_answer_may_take_longer_than_the_limit_of_silence(
    stub: Stub, connected: Connect
) -> None:
    words = " ".join("abcdefgh")
    stub.script.then(Slow(Say(words), between_s=0.1))
    assert (await connected(timeout_s=0.5).complete(HELLO, KEY)).text == words


@pytest.mark.parametrize("streaming", [True, False])
async def test_nobody_listens(
    stub: Stub, connected: Connect, unused_tcp_port: int, *, streaming: bool
) -> None:
    provider = connected(base_url=f"http://127.0.0.1:{unused_tcp_port}/v1", streaming=streaming)
    failed = await failing(provider)
    assert isinstance(failed, Unreachable)
    assert not failed.maybe_billed
    assert "cannot be reached" in str(failed)


@pytest.mark.parametrize("streaming", [True, False])
async def test_cancelling_closes_the_socket_before_the_answer(
    stub: Stub, connected: Connect, *, streaming: bool
) -> None:
    stub.script.then(Slow(Say("Never."), before_s=PATIENCE_S))
    task = asyncio.create_task(connected(streaming=streaming).complete(HELLO, KEY))
    asked = await asyncio.wait_for(stub.script.asked(), PATIENCE_S)
    at = time.perf_counter()
    task.cancel()
    await asyncio.wait_for(asked.closed.wait(), PATIENCE_S)
    assert asked.closed_at is not None
    assert asked.closed_at - at <= 0.05
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancelling_closes_the_socket_amid_the_answer(stub: Stub, connected: Connect) -> None:
    stub.script.then(Slow(Say("One two three."), between_s=PATIENCE_S))
    reader = Pieces()
    task = asyncio.create_task(connected().complete(HELLO, KEY, reader))
    await asyncio.wait_for(reader.first.wait(), PATIENCE_S)
    at = time.perf_counter()
    task.cancel()
    asked = stub.script.last
    await asyncio.wait_for(asked.closed.wait(), PATIENCE_S)
    assert asked.closed_at is not None
    assert asked.closed_at - at <= 0.05
    with pytest.raises(asyncio.CancelledError):
        await task
    assert reader.texts == ["One"]


# --- what is long or odd --------------------------------------------------------------------------


async def test_a_tools_ten_megabytes_go_through(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Long."))
    long = Conversation(system="", messages=(Message(role=Role.USER, text="x" * 10_000_000),))
    assert (await connected().complete(long, KEY)).text == "Long."


async def test_what_cannot_be_sent_is_said(stub: Stub, connected: Connect) -> None:
    odd = Conversation(system="", messages=(Message(role=Role.USER, text="\ud800"),))
    assert isinstance(await failing(connected(), odd), RequestRefused)
    assert stub.script.count == 0
