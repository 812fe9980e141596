"""The sandbox guild as the supervisor runs it: a process with a private file."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bots.sandbox.frames import Op
from tests.integration.sandbox.bot import PATIENCE_S
from tests.integration.sandbox.stage import CAPTAIN, identity, plan

ROOT = Path(__file__).parents[3]


async def _start(path: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bots.sandbox",
        "--config",
        str(path),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def _file(folder: Path, content: Any, mode: int = 0o600) -> Path:
    path = folder / "sandbox.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    return path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_listens_and_ends_at_once_whoever_is_connected(
    tmp_path: Path, number: int
) -> None:
    process = await _start(_file(tmp_path, plan()))
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as http:
        said = json.loads(await process.stdout.readline())
        url = f"ws://127.0.0.1:{said['port']}/gateway?v=10"
        async with http.ws_connect(url) as socket:
            await socket.send_json({"op": Op.IDENTIFY, "d": identity(CAPTAIN, 513)})
            while (frame := await socket.receive_json())["t"] != "GUILD_CREATE":
                pass
            assert frame["d"]["id"] == said["guild"]
            started = asyncio.get_running_loop().time()
            process.send_signal(number)
            assert await process.wait() == 0
            assert asyncio.get_running_loop().time() - started < 2.0


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [
        ("{", 0o600, "Invalid JSON"),
        (plan(ports=1), 0o600, "ports"),
        (plan(limits={"mesages": 1}), 0o600, "mesages"),
        (plan(), 0o644, "chmod 600"),
        (plan(bots=[{"name": "captain", "token": "!!.x.y"}]), 0o600, "base64"),
        (plan(users=[{"name": "captain", "token": "t"}]), 0o600, "same name"),
        (plan(users=[{"name": "me", "token": CAPTAIN}]), 0o600, "same token"),
        (
            plan(bots=[{"name": n, "token": f"{CAPTAIN}{n}"} for n in ("one", "two")]),
            0o600,
            "already belongs",
        ),
    ],
    ids=["json", "unknown", "limit", "open", "no id", "name", "token", "id"],
)
async def test_a_wrong_file_is_refused_in_a_sentence_without_a_token(
    tmp_path: Path, content: Any, mode: int, sentence: str
) -> None:
    process = await _start(_file(tmp_path, content, mode))
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    assert (process.returncode, out) == (2, b"")
    assert sentence in err.decode()
    assert "Traceback" not in err.decode()
    assert CAPTAIN not in err.decode()


async def test_a_missing_file_and_a_taken_port_are_told_apart(tmp_path: Path) -> None:
    process = await _start(tmp_path / "nothing.json")
    assert await process.wait() == 2
    first = await _start(_file(tmp_path, plan()))
    assert first.stdout is not None
    port = json.loads(await first.stdout.readline())["port"]
    second = await _start(_file(tmp_path, plan(port=port)))
    _, err = await second.communicate()
    assert second.returncode == 3
    assert f"port {port}" in err.decode()
    first.terminate()
    assert await first.wait() == 0


async def test_ids_stay_over_a_restart(tmp_path: Path) -> None:
    ids = []
    for _ in range(2):
        process = await _start(_file(tmp_path, plan()))
        assert process.stdout is not None
        ids.append(json.loads(await process.stdout.readline())["guild"])
        process.terminate()
        assert await process.wait() == 0
    assert ids[0] == ids[1]
