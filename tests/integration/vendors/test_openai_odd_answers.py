"""Answers of the Responses API by hand: of tomorrow, of another form, failed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from brain.errors import BadAnswer, ModelFailed, RequestRefused
from brain.model import Completion, Usage
from brain.models.provider import Provider
from tests.integration.vendors.openai_stage import (
    HELLO,
    KEY,
    Connect,
    Pieces,
    connecting,
    failing,
)
from tests.vendors.chat_wire import Chat
from tests.vendors.responses_wire import Responses
from tests.vendors.script import Asked, Call, Malformed, Say, Tokens
from tests.vendors.server import Stub


@pytest.fixture
async def connected(stub: Stub) -> AsyncIterator[Connect]:
    async with connecting(stub, "openai") as connect:
        yield connect


def _response(*output: dict[str, Any], **more: Any) -> dict[str, Any]:
    usage = {"input_tokens": 4, "output_tokens": 5, "total_tokens": 9}
    response = {"id": "r", "object": "response", "status": "completed", "usage": usage}
    return {**response, "output": list(output), **more}


def _message(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": "m", "role": "assistant", "content": [part]}


def _sse(*events: dict[str, Any]) -> str:
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events)


async def test_events_and_items_of_tomorrow_are_passed_over(stub: Stub, connected: Connect) -> None:
    new = {"type": "hologram", "id": "h", "content": [{"type": "light"}]}
    stub.script.then(
        Malformed(
            ": keep-alive\n\n"
            + _sse(
                {"type": "response.hologram.delta", "delta": "?"},
                {"type": "response.output_text.delta", "output_index": 1, "delta": "One."},
                {"type": "response.output_text.delta", "output_index": 2, "delta": "Two."},
                {
                    "type": "response.completed",
                    "response": _response(new, _message("One."), _message("Two.")),
                },
            )
        )
    )
    reader = Pieces()
    completion = await connected().complete(HELLO, KEY, reader)
    assert completion.text == "One.\nTwo."
    assert "".join(reader.texts) == completion.text
    assert completion.usage == Usage(input_tokens=4, output_tokens=5)


@pytest.mark.parametrize(
    "response",
    [
        _response(_message("Hi."), usage={"input_tokens": "many"}),
        {"id": "r", "output": "none"},
        {"id": "r", "output": None},
        {"id": "r"},
        _response({"type": "message", "content": [{"type": "output_text", "text": None}]}),
        _response({"type": "message", "content": 7}),
        _response({"type": "message"}),
    ],
)
async def test_an_answer_of_another_form_is_bad(
    stub: Stub, connected: Connect, response: dict[str, Any]
) -> None:
    stub.script.then(
        Malformed(json.dumps(response)),
        Malformed(_sse({"type": "response.completed", "response": response})),
    )
    assert isinstance(await failing(connected(streaming=False)), BadAnswer)
    assert isinstance(await failing(connected()), BadAnswer)


async def test_a_failure_is_paid_as_counted(stub: Stub, connected: Connect) -> None:
    error = {"code": "invalid_prompt", "message": "It was flagged."}
    response = _response(status="failed", error=error)
    stub.script.then(Malformed(_sse({"type": "response.failed", "response": response})))
    failed = await failing(connected())
    assert isinstance(failed, RequestRefused)
    assert "It was flagged." in str(failed)
    assert failed.usage == Usage(input_tokens=4, output_tokens=5)


async def test_usage_that_is_not_told_is_estimated(stub: Stub, connected: Connect) -> None:
    stub.script.then(Malformed(json.dumps(_response(_message("One two three."), usage=None))))
    completion = await connected(streaming=False).complete(HELLO, KEY)
    assert completion.usage.output_tokens >= 3
    assert completion.notes == ("main tells no usage: its tokens are estimated",)


# --- every part of an answer, replaced by something else ------------------------------------------

ODD: tuple[Any, ...] = (None, 7, -1.5, "x", [], {})


def _changed(whole: Any) -> Iterator[Any]:
    """`whole` with one of its parts, at any depth, replaced by each odd value."""
    yield from ODD
    parts = whole.items() if isinstance(whole, dict) else enumerate(whole)
    for key, part in parts if isinstance(whole, dict | list) else ():
        for other in _changed(part) if isinstance(part, dict | list) else ODD:
            copy = whole.copy()
            copy[key] = other
            yield copy


def _is_sound(completion: Completion) -> bool:
    used = vars(completion.usage).values()
    calls = completion.tool_calls
    return (
        isinstance(completion.text, str)
        and all(type(count) is int and count >= 0 for count in used)
        and all(isinstance(c.name, str) and isinstance(c.arguments, dict) for c in calls)
    )


async def _asked_with(stub: Stub, provider: Provider, raw: str) -> bool:
    """Whether the answer was a sound one; anything but a `ModelFailed` goes through."""
    stub.script.then(Malformed(raw))
    try:
        completion = await provider.complete(HELLO, KEY, Pieces())
    except ModelFailed:
        return False
    assert _is_sound(completion), raw
    return True


async def test_no_answer_of_the_responses_api_breaks_the_adapter(stub: Stub) -> None:
    wire, asked = Responses(), _asked()
    good = wire.whole(asked, Say("Hi.", (Call("clock", {"zone": "UTC"}),)), Tokens(input_tokens=3))
    async with connecting(stub, "openai") as connect:
        whole, streamed = connect(streaming=False), connect()
        for body in _changed(good):
            await _asked_with(stub, whole, json.dumps(body))
            event = {"type": "response.completed", "response": body}
            await _asked_with(stub, streamed, _sse(event))
        assert await _asked_with(stub, whole, json.dumps(good))
        event = {"type": "response.completed", "response": good}
        assert await _asked_with(stub, streamed, _sse(event))


async def test_no_answer_of_chat_completions_breaks_the_adapter(stub: Stub) -> None:
    wire, asked = Chat(), _asked()
    say = Say("Hi.", (Call("clock", {"zone": "UTC"}),))
    good = wire.whole(asked, say, Tokens(input_tokens=3))
    events = [event.data for event in wire.events(asked, say, Tokens(input_tokens=3))][:-1]
    async with connecting(stub, "compatible") as connect:
        whole, streamed = connect(streaming=False, tools=True), connect(tools=True)
        for body in _changed(good):
            await _asked_with(stub, whole, json.dumps(body))
        for chunks in _changed(events):
            lines = chunks if isinstance(chunks, list) else [chunks]
            await _asked_with(stub, streamed, "".join(f"data: {json.dumps(c)}\n\n" for c in lines))
        assert await _asked_with(stub, whole, json.dumps(good))


def _asked() -> Asked:
    body = {"input": [], "messages": [], "stream_options": {"include_usage": True}}
    return Asked(
        wire="",
        model="m",
        key="",
        headers={},
        body=body,
        streams=True,
        said="",
        tools=(),
        has_result=False,
    )
