"""Keys on their way to OpenAI, or to a server like it: in one header, and nowhere else."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import AsyncIterator

import pytest

from brain.errors import NoUsableKey
from brain.models.provider import Key
from tests.integration.vendors.openai_stage import (
    HELLO,
    KEY,
    PATIENCE_S,
    SECRET,
    Connect,
    connecting,
    failing,
)
from tests.vendors.script import Cut, Fail, Malformed, Say, Slow, Step
from tests.vendors.server import Stub


@pytest.fixture(params=["openai", "compatible"])
async def connected(request: pytest.FixtureRequest, stub: Stub) -> AsyncIterator[Connect]:
    async with connecting(stub, request.param) as connect:
        yield connect


@pytest.mark.parametrize("value", ["", "sk-a b", "sk-a\n", "sk-ä", "sk-\x00"], ids=repr)
async def test_what_is_no_key_is_not_sent(stub: Stub, connected: Connect, value: str) -> None:
    failed = await failing(connected(), HELLO, Key(name="file:key.txt", value=value))
    assert isinstance(failed, NoUsableKey)
    assert "file:key.txt" in str(failed)
    assert stub.script.count == 0


async def test_keys_take_turns_on_one_connection(stub: Stub, connected: Connect) -> None:
    stub.script.then(*[Say("Yes.")] * 4)
    provider = connected()
    for value in (SECRET, "sk-b", SECRET, "sk-c"):
        await provider.complete(HELLO, Key(name="env:K", value=value))
    assert [asked.key for asked in stub.script.requests] == [SECRET, "sk-b", SECRET, "sk-c"]
    assert stub.connections == 1


@pytest.mark.parametrize(
    "step",
    [
        Fail(401, f"Incorrect API key provided: {SECRET}."),
        Fail(400, f"header authorization: Bearer {SECRET}, other key sk-live-abcdef0123456789"),
        Fail(500, SECRET),
        Fail(418, body=SECRET),
        Fail(400, f"amid {SECRET}", amid=Say("One.")),
        Malformed(SECRET),
        Cut(2, Say("One two.")),
        Slow(Say("One."), before_s=PATIENCE_S),
    ],
    ids=lambda step: type(step).__name__,
)
async def test_the_key_is_in_no_sentence_log_or_traceback(
    stub: Stub, connected: Connect, caplog: pytest.LogCaptureFixture, step: Step
) -> None:
    caplog.set_level(logging.DEBUG)
    stub.script.then(step)
    failed = await failing(connected(timeout_s=0.3))
    shown = "".join(traceback.format_exception(failed)) + caplog.text + repr(failed)
    assert SECRET not in shown
    assert "sk-live" not in shown
    assert failed.__context__ is None
    assert failed.__cause__ is None


async def test_the_key_is_in_the_header_and_nowhere_else(stub: Stub, connected: Connect) -> None:
    stub.script.then(Say("Yes."))
    await connected().complete(HELLO, KEY)
    sent = stub.script.last
    assert SECRET not in json.dumps(sent.body)
    holding = [name.lower() for name, value in sent.headers.items() if SECRET in value]
    assert holding == ["authorization"]
    assert not [name for name in sent.headers if name.lower().startswith("openai-")]
