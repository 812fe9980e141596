"""The stub as a process of its own, as whole swarms meet it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from brain.errors import CutShort, ModelFailed, Overloaded
from brain.model import Conversation, Message, Role, Stop
from brain.models.provider import Provider
from tests.integration.vendors.asking import KEY, NOW, PATIENCE_S, Connect, Pieces


@pytest.fixture
async def where() -> AsyncIterator[dict[str, Any]]:
    """Addresses of a running stub; it has to end by SIGTERM, with status 0."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.vendors"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(4 * PATIENCE_S):
            yield json.loads(await process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            assert await process.wait() == 0


def asking(text: str) -> Conversation:
    return Conversation(system="", messages=(Message(role=Role.USER, text=text),), tools=(NOW,))


async def _error(provider: Provider, text: str) -> ModelFailed:
    with pytest.raises(ModelFailed) as caught:
        await provider.complete(asking(text), KEY)
    return caught.value


async def test_it_does_what_the_last_line_of_a_question_asks_for(
    where: dict[str, Any], connected: Connect
) -> None:
    provider = connected(base_url=where["anthropic"], model="stub-1")
    fenced = "fail with 529\n<mark>\nHow are you?\n</mark>"
    said = await provider.complete(asking(fenced), KEY)
    assert said.text == "stub: stub-1 was told: How are you?"
    (call,) = (await provider.complete(asking('call the tool now {"zone": "UTC"}'), KEY)).tool_calls
    assert (call.name, call.arguments) == ("now", {"zone": "UTC"})
    reader = Pieces()
    slow = asyncio.create_task(provider.complete(asking("stream slowly"), KEY, reader))
    await reader.first.wait()
    assert not slow.done()
    slow.cancel()
    assert (await provider.complete(asking("refuse this"), KEY)).stop is Stop.REFUSED
    assert type(await _error(provider, "cut the answer")) is CutShort
    assert type(await _error(provider, "please fail with 529")) is Overloaded
    spare = connected(base_url=where["anthropic"], model="stub-spare")
    assert (await spare.complete(asking("please fail with 529"), KEY)).text.startswith("stub:")


async def test_another_process_reads_its_bill_and_makes_a_model_fail(
    where: dict[str, Any], connected: Connect
) -> None:
    provider = connected(base_url=where["anthropic"], model="stub-1")
    async with aiohttp.ClientSession(where["anthropic"]) as http:
        usage = (await provider.complete(asking("Hello."), KEY)).usage
        async with http.get("/stub/bill") as response:
            bill = await response.json()
        assert bill == {"stub-1": vars(usage)}
        await http.put("/stub/failing/stub-1", data="529")
        assert type(await _error(provider, "Hello.")) is Overloaded
        await http.delete("/stub/failing/stub-1")
        assert (await provider.complete(asking("Hello."), KEY)).text
        async with http.get("/stub/requests") as response:
            requests = await response.json()
        assert [request["answered"] for request in requests] == [True, True, True]
