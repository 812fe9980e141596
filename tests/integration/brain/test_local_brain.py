"""The small model, real: its server, its adapter, and what both keep from it."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import structlog

from bots.local_model import packages
from bots.supervisor.local_model import address, local_program
from bots.supervisor.ports import free_port
from bots.supervisor.service import Service
from brain.errors import ContextOverflow, Unreachable
from brain.model import Completion, Conversation, Message, Role, Stop, ToolSpec
from brain.models import local
from brain.models.packaged import CONTEXT_TOKENS, MAX_OUTPUT_TOKENS, MODEL
from brain.models.provider import ModelSpec, Provider
from tests.acceptance.stage import until

ROOT = Path(__file__).parents[3]
if lacking := packages.missing():
    pytest.skip(f"not installed: {', '.join(lacking)}", allow_module_level=True)
SYSTEM = "You are the secretary of a swarm of chat bots. Answer in one short sentence."
MARKED = "sapphire-otter-4711"


@dataclass
class Pieces:
    text: str = ""
    count: int = 0
    first: asyncio.Event = field(default_factory=asyncio.Event)

    def piece(self, text: str) -> None:
        self.text += text
        self.count += 1
        self.first.set()

    def anew(self) -> None:
        self.text = ""


@dataclass(frozen=True)
class Served:
    port: int
    pid: int
    log: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server's own process, with no supervisor above it."""
    folder = tmp_path_factory.mktemp("local")
    config, log = folder / "local.json", folder / "local.log"
    config.touch(mode=0o600)
    config.write_text('{"port": 0}')
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bots.local_model", "--config", str(config)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout is not None
    with process.stdout:
        port = json.loads(process.stdout.readline())["port"]
        yield Served(port, process.pid, log)
        process.terminate()
        assert process.wait(10) == 0
    words = log.read_text()
    assert MARKED not in words, "what people say is not logged"
    assert "secretary" not in words


def spec(port: int, **more: Any) -> ModelSpec:
    return ModelSpec(
        name="small", provider="local", model="", base_url=address(port), timeout_s=30, **more
    )


@pytest.fixture
async def model(served: Served) -> AsyncIterator[Provider]:
    connected = local.connect(spec(served.port))
    yield connected
    await connected.close()


def asked(text: str, **more: Any) -> Conversation:
    return Conversation(system=SYSTEM, messages=(Message(role=Role.USER, text=text),), **more)


async def test_it_answers_and_says_what_it_used(model: Provider) -> None:
    answer = await model.complete(asked(f"Hello, I am {MARKED}. Who are you?"), None)
    assert answer.text.strip()
    assert 20 < answer.usage.input_tokens + answer.usage.cache_read_tokens < 100
    assert 0 < answer.usage.output_tokens <= MAX_OUTPUT_TOKENS
    assert answer.stop in {Stop.DONE, Stop.LENGTH}


async def test_it_streams(model: Provider) -> None:
    pieces = Pieces()
    answer = await model.complete(asked("Say something about chat."), None, pieces)
    assert pieces.count > 3
    assert pieces.text == answer.text
    assert answer.usage.output_tokens > 0


async def test_it_fills_a_schema(model: Provider) -> None:
    colours = {"type": "string", "enum": ["red", "blue"]}
    schema = {
        "type": "object",
        "properties": {"colour": colours},
        "required": ["colour"],
        "additionalProperties": False,
    }
    answer = await model.complete(asked("Which colour is the sky?", json_schema=schema), None)
    assert json.loads(answer.text)["colour"] in {"red", "blue"}


async def test_it_is_weak_and_no_setting_gives_it_tools(served: Served) -> None:
    wilful = local.connect(spec(served.port, tools=True, context_tokens=1_000_000))
    can = wilful.capabilities
    assert (can.is_weak, can.tools, can.context_tokens) == (True, False, CONTEXT_TOKENS)
    pay = ToolSpec(name="pay", description="Pays.", parameters={"type": "object"})
    answer = await wilful.complete(asked("Pay alice now, by the tool.", tools=(pay,)), None)
    assert answer.tool_calls == ()
    await wilful.close()


async def test_a_conversation_that_is_too_long_is_said_to_be(model: Provider) -> None:
    with pytest.raises(ContextOverflow):
        await model.complete(asked("mixer " * CONTEXT_TOKENS), None)


async def test_an_answer_ends_at_its_limit(model: Provider) -> None:
    answer = await model.complete(asked("Tell a long story.", max_output_tokens=16), None)
    assert (answer.stop, answer.usage.output_tokens) == (Stop.LENGTH, 16)


async def test_cancelled_it_stops_working(served: Served, model: Provider) -> None:
    process, pieces = psutil.Process(served.pid), Pieces()
    telling = asyncio.create_task(
        model.complete(asked("Count from one to a thousand, in words."), None, pieces)
    )
    await asyncio.wait_for(pieces.first.wait(), 20)
    began_s = time.monotonic()
    telling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling
    assert time.monotonic() - began_s < 0.05
    port = served.port

    def is_left() -> bool:
        return not [c for c in process.net_connections() if c.laddr.port == port and c.raddr]

    await until(is_left, "the socket is closed")


async def test_two_are_answered_side_by_side(model: Provider) -> None:
    answers = await asyncio.gather(
        *(model.complete(asked(f"What is {n}?", max_output_tokens=24), None) for n in range(5))
    )
    assert all(isinstance(a, Completion) and a.text.strip() for a in answers)


async def test_nobody_reads_other_peoples_conversations_from_it(served: Served) -> None:
    async def get(path: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(f"GET {path} HTTP/1.0\r\nOrigin: http://evil.example\r\n\r\n".encode())
        said = await reader.read()
        writer.close()
        return said

    assert b" 501 " in (await get("/slots")).splitlines()[0]
    models = await get("/v1/models")
    assert MODEL.encode() in models
    assert str(ROOT).encode() not in models
    assert b"Access-Control-Allow-Origin: *" not in models


async def test_it_listens_on_this_machine_alone(served: Served) -> None:
    listening = [
        c.laddr.ip
        for c in psutil.Process(served.pid).net_connections()
        if c.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]


async def test_without_an_address_no_other_one_is_taken() -> None:
    with pytest.raises(ValueError, match="where the local model answers"):
        local.connect(ModelSpec(name="small", provider="local", model=""))


async def test_a_server_that_is_away_is_unreachable() -> None:
    alone = local.connect(spec(free_port()))
    with pytest.raises(Unreachable):
        await alone.complete(asked("Hello?"), None)
    await alone.close()


async def test_the_supervisor_waits_until_it_can_answer_and_starts_it_again(
    tmp_path: Path,
) -> None:
    port = free_port()
    log = structlog.get_logger()
    kept = Service(
        local_program(tmp_path, port), tmp_path / "local.log", rng=random.Random(1), log=log
    )
    await kept.start()
    model = local.connect(spec(port))
    # No 503 ("loading"): a service is up when it can serve.
    assert (await model.complete(asked("Hello.", max_output_tokens=16), None)).text
    first = kept.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: kept.up and kept.pid not in {None, first}, "it is back")
    assert (await model.complete(asked("Hello again.", max_output_tokens=16), None)).text
    second = kept.pid
    await model.close()
    await kept.stop()
    assert second is not None
    assert not psutil.pid_exists(second)


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    config = tmp_path / "local.json"
    config.touch(mode=0o600)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config.write_text(json.dumps({"port": taken.getsockname()[1]}))
        done = subprocess.run(
            [sys.executable, "-P", "-m", "bots.local_model", "--config", str(config)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("local model: cannot listen on port")


async def test_it_does_not_say_one_thing_for_ever(model: Provider) -> None:
    """Without a penalty it says "I'm sorry." forty times."""
    answer = await model.complete(asked("captain: say something nice about the mixer"), None)
    said = [s.strip() for s in answer.text.replace("\n", ".").split(".") if s.strip()]
    assert len(said) < 2 * len(set(said))
