"""Anthropic's adapter when things go wrong: errors, silence, cancelling, and no key anywhere."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
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
from brain.model import Usage
from brain.models.provider import Key
from tests.integration.vendors.asking import (
    HELLO,
    KEY,
    PATIENCE_S,
    SECRET,
    Connect,
    Pieces,
    failure,
)
from tests.vendors.anthropic_wire import prompt_too_long
from tests.vendors.script import Call, Cut, Fail, Malformed, Say, Slow, Step, Tokens
from tests.vendors.server import Stub

# --- failures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("streaming", [True, False])
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
    ],
)
async def test_each_failure_has_its_error_and_a_sentence_that_helps(
    stub: Stub,
    connected: Connect,
    step: Step,
    kind: type[ModelFailed],
    words: str,
    *,
    streaming: bool,
) -> None:
    stub.script.then(step)
    error = await failure(connected(streaming=streaming))
    assert type(error) is kind
    assert words in str(error)
    assert stub.script.count == 1
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("step", "kind", "words"),
    [
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
async def test_a_stream_can_be_cut_or_malformed(
    stub: Stub, connected: Connect, step: Step, kind: type[ModelFailed], words: str
) -> None:
    stub.script.then(step)
    error = await failure(connected())
    assert type(error) is kind
    assert words in str(error)


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


@pytest.mark.parametrize(
    ("step", "is_billed"),
    [
        (Slow(Say("Too late."), before_s=PATIENCE_S), True),
        (Cut(30, Say("This is the answer.")), True),
        (Fail(429), False),
        (Fail(529), False),
    ],
)
async def test_an_answer_in_one_piece_may_be_made_though_it_is_not_heard(
    stub: Stub, connected: Connect, step: Step, *, is_billed: bool
) -> None:
    stub.script.then(step, step)
    failed = await failure(connected(streaming=False, timeout_s=0.2))
    assert failed.maybe_billed is is_billed
    # Hung up on, a stream is not made.
    assert (await failure(connected(timeout_s=0.2))).maybe_billed is isinstance(step, Cut)


async def test_a_long_answer_is_no_silence(stub: Stub, connected: Connect) -> None:
    stub.script.then(Slow(Say("a b c d e f g h"), between_s=0.1))
    completion = await connected(timeout_s=0.5).complete(HELLO, KEY)
    assert completion.text == "a b c d e f g h"


async def test_nobody_at_the_address_is_unreachable(connected: Connect, unused_port: int) -> None:
    error = await failure(connected(base_url=f"http://127.0.0.1:{unused_port}", streaming=False))
    assert type(error) is Unreachable
    assert not error.maybe_billed
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


# --- cancelling -----------------------------------------------------------------------------------


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


# --- secrets --------------------------------------------------------------------------------------


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


async def test_a_password_in_the_address_is_not_shown(stub: Stub, connected: Connect) -> None:
    stub.script.then(Fail(500))
    error = await failure(connected(base_url=stub.url.replace("//", "//rook:secret@")))
    assert "secret" not in str(error)
    assert str(stub.port) in str(error)
