"""What a caller may not do: send too much, come too often, come under a false name."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.hooks.stage import CONTROL, TOKEN, Stage, staged

FIFTY_MB = 50 * 1024 * 1024
BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def spoken(port: int, raw: bytes, *, limit_s: float = 10.0) -> tuple[int, dict[str, Any]]:
    """What the door answers to these bytes, before anything more is sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(limit_s):
            writer.write(raw)
            await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                int(line.partition(":")[2])
                for line in head.lower().split("\r\n")
                if line.startswith("content-length")
            )
            return int(head.split()[1]), json.loads(await reader.readexactly(length) or b"{}")
    finally:
        writer.close()


def head(**headers: str) -> bytes:
    sent = {"Host": "127.0.0.1", "Authorization": f"Bearer {TOKEN}"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items() if value)
    return f"POST /hooks/agent HTTP/1.1\r\n{lines}\r\n".encode("latin-1")


async def test_fifty_megabytes_are_refused_before_they_are_sent(stage: Stage) -> None:
    status, answer = await spoken(stage.port, head(Content_Length=str(FIFTY_MB)))
    assert (status, answer["code"]) == (413, "too_large")
    status, answer = await spoken(
        stage.port, head(Content_Length=str(FIFTY_MB), Expect="100-continue")
    )
    assert (status, answer["code"]) == (413, "too_large")
    assert [e["status"] for e in await stage.refusals()] == [413, 413]


async def test_who_may_send_is_told_to_go_on(stage: Stage) -> None:
    body = json.dumps({"message": "x"}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    async with asyncio.timeout(10):
        writer.write(head(Content_Length=str(len(body)), Expect="100-continue"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert b" 202 " in await reader.readline()
    writer.close()


async def test_a_body_that_does_not_say_how_long_it_is_ends_at_the_limit(stage: Stage) -> None:
    sent = 0

    async def pieces() -> Any:
        nonlocal sent
        for _ in range(FIFTY_MB // 65_536):
            sent += 65_536
            yield b"x" * 65_536

    with pytest.raises((aiohttp.ClientError, AssertionError)):  # noqa: PT012
        url = f"{stage.url}/hooks/agent"
        async with stage.http.post(url, data=pieces(), headers=BEARER) as response:
            assert response.status == 413
            assert (await response.json())["code"] == "too_large"
            # Whether the client hears it or its line breaks first is up to the client.
            raise aiohttp.ClientError
    assert sent < FIFTY_MB
    assert [e["code"] for e in await stage.refusals()] == ["too_large"]


async def test_packed_bodies_count_unpacked(stage: Stage) -> None:
    bomb = gzip.compress(b" " * FIFTY_MB)
    assert len(bomb) < 262_144
    status, answer = await stage.post("/hooks/agent", bomb, Content_Encoding="gzip")
    assert (status, answer["code"]) == (413, "too_large")
    good = gzip.compress(json.dumps({"message": "x"}).encode())
    assert (await stage.post("/hooks/agent", good, Content_Encoding="gzip"))[0] == 202
    status, answer = await stage.post("/hooks/agent", b"no gzip", Content_Encoding="gzip")
    assert (status, answer["code"]) == (400, "bad_json")


async def test_a_chunked_body_is_a_body(stage: Stage) -> None:
    body = json.dumps({"message": "in pieces"}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, body[i : i + 1]) for i in range(len(body)))
    raw = head(Transfer_Encoding="chunked")
    assert (await spoken(stage.port, raw + chunks + b"0\r\n\r\n"))[0] == 202
    # No HTTP at all: the library answers, in words of its own.
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    async with asyncio.timeout(10):
        writer.write(raw + b"zz\r\nnonsense")
        assert b" 400 " in await reader.readline()
    writer.close()
    assert len(stage.desk.orders) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"message"',
        b"\xff\xfe",
        b'{"message": NaN}',
        b"[" * 200_000,
        b'{"message": "' + b"\\ud800" + b'"}',
        b'{"message": "a\\u0000b"}',
        b'{"message": "   "}',
        b'{"message": 5}',
        b'{"message": "x", "wait": Infinity}',
        b'{"message": "x", "wait": 1e999}',
        b'{"message": "x", "wait": 1' + b"0" * 400 + b"}",
        b'{"message": "x", "wait": -1}',
        b'{"message": "x", "wait": true}',
        b'{"message": "x", "deliver": "yes"}',
        b'{"message": "x", "priority": "urgent"}',
        b'{"message": "x", "priority": ["high"]}',
        b'{"message": "x", "deadline_s": 1e9}',
        b'{"message": "x", "deadline_s": ' + b"9" * 5_000 + b"}",
        b'{"message": "x", "wait": 1, "waitForCompletion": true}',
        b'{"message": "x", "deadline_s": 1, "timeoutSeconds": 1}',
        b'{"message": "' + b"x" * 8_001 + b'"}',
    ],
)
async def test_nonsense_is_refused(stage: Stage, body: bytes) -> None:
    status, answer = await stage.post("/hooks/agent", body)
    assert status == 400
    assert answer["code"] in {"bad_json", "bad_field"}
    assert stage.desk.orders == []


@pytest.mark.parametrize("key", ["x" * 257, "\xff\xfe", "a\tb"])
async def test_a_key_that_is_no_text_is_refused(stage: Stage, key: str) -> None:
    body = b'{"message": "x"}'
    raw = head(Idempotency_Key=key, Content_Length=str(len(body))) + body
    status, answer = await spoken(stage.port, raw)
    assert (status, answer["code"]) == (400, "bad_field")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_wrong_methods_are_told_the_right_one(stage: Stage, method: str) -> None:
    async with stage.http.request(method, f"{stage.url}/hooks/agent", headers=BEARER) as response:
        assert response.status == 405
        assert response.headers["Allow"] == "POST"


async def test_who_has_no_token_learns_nothing_of_the_body(stage: Stage) -> None:
    for body in (b"", b"{", b'{"message": "x"}', b'{"wrong": 1}'):
        status, answer = await stage.post("/hooks/agent", body, token=None)
        assert (status, answer["code"]) == (401, "unauthorized")
    async with stage.http.get(f"{stage.url}/tasks/D-aaaaaaaa") as response:
        assert response.status == 401
        assert "Bearer" in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("header", ["Bearer ", "Basic abc", "Bearer \xff\xfe", "nonsense"])
async def test_a_header_that_is_no_token_opens_nothing(stage: Stage, header: str) -> None:
    raw = head(Authorization=header, Content_Length="2") + b"{}"
    assert (await spoken(stage.port, raw))[0] == 401
    control = raw.replace(b"/hooks/agent", b"/control/kill")
    assert (await spoken(stage.port, control))[0] == 401


async def test_strangers_are_slowed_down_and_do_not_fill_the_audit(tmp_path: Path) -> None:
    async with staged(tmp_path, per_minute=1, burst=20) as stage:
        answers = [await stage.post("/hooks/agent", {}, token="guess") for _ in range(30)]
        assert [s for s, _ in answers] == [401] * 20 + [429] * 10
        assert answers[-1][1]["code"] == "too_many"
        assert len(await stage.refusals()) == 21
        # Who has the token comes in all the same.
        assert (await stage.post("/hooks/agent", {"message": "x"}))[0] == 202


async def test_who_asks_before_sending_too_much_does_not_fill_the_audit(tmp_path: Path) -> None:
    async with staged(tmp_path, per_minute=1, burst=4) as stage:
        asked = head(Authorization="", Content_Length=str(FIFTY_MB), Expect="100-continue")
        answers = [await spoken(stage.port, asked) for _ in range(8)]
        assert [s for s, _ in answers] == [413] * 4 + [429] * 4
        assert [e["status"] for e in await stage.refusals()] == [413] * 4 + [429]


async def test_a_token_in_the_address_does_not_fill_the_audit(tmp_path: Path) -> None:
    async with staged(tmp_path, per_minute=1, burst=4) as stage:
        answers = [await stage.get("/tasks/x?token=a", token=None) for _ in range(8)]
        assert [s for s, _ in answers] == [400] * 4 + [429] * 4
        assert [e["status"] for e in await stage.refusals()] == [400] * 4 + [429]


async def test_who_comes_too_often_is_told_when(tmp_path: Path) -> None:
    async with staged(tmp_path, per_minute=1, burst=3) as stage:
        statuses = [(await stage.post("/hooks/agent", {"message": "x"}))[0] for _ in range(6)]
        assert statuses == [202, 202, 202, 429, 429, 429]
        url = f"{stage.url}/hooks/agent"
        async with stage.http.post(url, json={"message": "x"}, headers=BEARER) as response:
            assert 1 <= int(response.headers["Retry-After"]) <= 60
        # A caller of another name has its own measure.
        envelope = await stage.envelope("cron", {"message": "x"})
        assert (await stage.post("/hooks/agent", envelope, token=None))[0] == 202
        assert [e["code"] for e in await stage.refusals()] == ["too_many"]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", ""])
@pytest.mark.parametrize("path", ["/hooks/agent", "/openapi.json", "/health", "/tasks/D-1"])
async def test_a_page_with_our_address_under_its_own_name_is_refused(
    stage: Stage, host: str, path: str
) -> None:
    for method in ("GET", "POST"):
        raw = head(Host=host or "x", Content_Length="2").replace(
            b"POST /hooks/agent", f"{method} {path}".encode()
        )
        status, answer = await spoken(stage.port, raw + b"{}")
        assert (status, answer["code"]) == (403, "wrong_host")


async def test_the_control_token_still_steers(stage: Stage) -> None:
    status, answer = await stage.post("/control/kill", {"scope": "all"}, token=CONTROL)
    assert (status, answer) == (200, {"killed": True})
