"""The gateway's rules, frame by frame, without a library in between."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from bots.sandbox.events import Intent
from bots.sandbox.frames import Close, Op
from bots.sandbox.server import build
from tests.integration.sandbox.stage import (
    CAPTAIN,
    CAPTAIN_ID,
    DEAF,
    GUEST,
    ROOK,
    YOU,
    Sandbox,
    Socket,
    bot_token,
    config,
    identity,
    serving,
)

ALL = 53608447
UNPRIVILEGED = int(Intent.GUILDS | Intent.GUILD_MESSAGES | Intent.DIRECT_MESSAGES)


async def test_ready_names_the_bot_its_application_and_where_to_resume(sandbox: Sandbox) -> None:
    socket = await sandbox.socket()
    ready = await socket.identify(CAPTAIN, ALL)
    assert ready["user"]["id"] == str(CAPTAIN_ID)
    assert ready["application"] == {"id": str(CAPTAIN_ID), "flags": 1 << 13 | 1 << 15 | 1 << 19}
    assert ready["resume_gateway_url"] == f"ws://127.0.0.1:{sandbox.port}/gateway"
    assert ready["guilds"] == [{"id": str(sandbox.guild_id), "unavailable": True}]
    guild = await socket.until("GUILD_CREATE")
    assert {c["name"] for c in guild["channels"]} >= {"command", "lobby", "task-board"}
    assert {m["user"]["username"] for m in guild["members"]} >= {"captain", "you", "guest"}


async def test_without_the_presence_intent_the_guild_shows_only_the_bot_itself(
    sandbox: Sandbox,
) -> None:
    socket = await sandbox.socket()
    await socket.identify(DEAF, UNPRIVILEGED)
    guild = await socket.until("GUILD_CREATE")
    assert [m["user"]["username"] for m in guild["members"]] == ["deaf"]
    assert guild["presences"] == []
    assert guild["member_count"] == 5


async def test_zlib_stream_is_one_context_for_the_whole_connection(sandbox: Sandbox) -> None:
    socket = await sandbox.socket("v=10&encoding=json&compress=zlib-stream")
    await socket.identify(CAPTAIN, ALL)
    await socket.until("GUILD_CREATE")
    await socket.send(Op.HEARTBEAT, socket.seq)
    assert (await socket.receive())["op"] == Op.HEARTBEAT_ACK


async def test_a_compression_not_spoken_here_is_answered_without_any(sandbox: Sandbox) -> None:
    socket = await sandbox.socket("v=10&encoding=json&compress=zstd-stream")
    assert (await socket.raw.receive()).type is aiohttp.WSMsgType.TEXT


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ((Op.IDENTIFY, identity("nobody's", ALL)), Close.AUTHENTICATION_FAILED),
        ((Op.IDENTIFY, {"intents": ALL}), Close.AUTHENTICATION_FAILED),
        ((Op.IDENTIFY, identity(DEAF, ALL)), Close.DISALLOWED_INTENTS),
        ((Op.IDENTIFY, identity(DEAF, 1 << 60)), Close.INVALID_INTENTS),
        ((Op.IDENTIFY, identity(DEAF)), Close.INVALID_INTENTS),
        ((Op.IDENTIFY, identity(DEAF, True)), Close.INVALID_INTENTS),
        ((Op.IDENTIFY, identity(DEAF, UNPRIVILEGED, shard=[1, 2])), Close.INVALID_SHARD),
        ((Op.IDENTIFY, "not an object"), Close.DECODE_ERROR),
        ((Op.IDENTIFY, identity("x" * 5000)), Close.DECODE_ERROR),
        ((Op.PRESENCE_UPDATE, {"status": "idle"}), Close.NOT_AUTHENTICATED),
        ((Op.REQUEST_GUILD_MEMBERS, {}), Close.NOT_AUTHENTICATED),
        ((Op.RESUME, {"token": "x", "session_id": "y", "seq": 1}), Close.AUTHENTICATION_FAILED),
        ((99, {}), Close.UNKNOWN_OPCODE),
        ((Op.HELLO, {}), Close.UNKNOWN_OPCODE),
    ],
    ids=str,
)
async def test_a_wrong_first_frame_closes_with_its_code(
    sandbox: Sandbox, frame: tuple[int, Any], code: Close
) -> None:
    socket = await sandbox.socket()
    await socket.send(*frame)
    assert await socket.closed() == code


@pytest.mark.parametrize("text", ["", "{", "[]", '"hello"', '{"op": "2"}', "[" * 4000, "\x00"])
async def test_what_is_no_frame_closes_with_decode_error(sandbox: Sandbox, text: str) -> None:
    socket = await sandbox.socket()
    await socket.raw.send_str(text)
    assert await socket.closed() == Close.DECODE_ERROR


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("v=9", Close.INVALID_API_VERSION),
        ("v=10&encoding=etf", Close.DECODE_ERROR),
    ],
)
async def test_what_is_not_spoken_here_is_refused_at_once(
    sandbox: Sandbox, query: str, code: Close
) -> None:
    assert await (await sandbox.socket(query)).closed() == code


async def test_a_second_identify_is_refused(sandbox: Sandbox) -> None:
    socket = await sandbox.socket()
    await socket.identify(CAPTAIN, ALL)
    await socket.send(Op.IDENTIFY, identity(CAPTAIN, ALL))
    assert await socket.closed() == Close.ALREADY_AUTHENTICATED


async def test_more_than_120_frames_a_minute_are_too_many(sandbox: Sandbox) -> None:
    socket = await sandbox.socket()
    for _ in range(121):
        await socket.send(Op.HEARTBEAT)
    assert await socket.closed() == Close.RATE_LIMITED


async def test_who_misses_heartbeats_is_dropped_and_may_resume() -> None:
    async with serving(build(config(gateway={"heartbeat_interval_s": 0.1}))) as sandbox:
        socket = await sandbox.socket()
        ready = await socket.identify(CAPTAIN, ALL)
        seq = socket.seq
        assert await socket.closed() == Close.UNKNOWN_ERROR
        again = await _resumed(sandbox, ready["session_id"], seq)
        await again.until("RESUMED")


async def test_resume_tells_what_was_missed_in_order_and_then_resumed(sandbox: Sandbox) -> None:
    first = await sandbox.socket()
    ready = await first.identify(CAPTAIN, ALL)
    await first.until("GUILD_CREATE")
    seen = first.seq
    await sandbox.chaos("drop", "captain")
    await first.closed()
    other = await sandbox.socket()
    await other.identify(ROOK, ALL)
    again = await _resumed(sandbox, ready["session_id"], seen)
    frames = []
    while (frame := await again.receive())["t"] != "RESUMED":
        frames.append(frame)
    assert [f["t"] for f in frames] == ["PRESENCE_UPDATE"]
    assert seen is not None
    assert [f["s"] for f in [*frames, frame]] == [seen + 1, seen + 2]


@pytest.mark.parametrize("whose", [CAPTAIN, ROOK])
async def test_an_unknown_session_or_anothers_cannot_be_resumed(
    sandbox: Sandbox, whose: str
) -> None:
    first = await sandbox.socket()
    ready = await first.identify(CAPTAIN, ALL)
    session = "unknown" if whose == CAPTAIN else ready["session_id"]
    again = await sandbox.socket()
    await again.receive()
    await again.send(Op.RESUME, {"token": whose, "session_id": session, "seq": 1})
    assert await again.receive() == {"op": Op.INVALID_SESSION, "d": False, "s": None, "t": None}
    await again.send(Op.IDENTIFY, identity(whose, ALL))
    assert (await again.until("READY"))["session_id"] != ready["session_id"]


async def test_a_sequence_from_the_future_is_refused(sandbox: Sandbox) -> None:
    first = await sandbox.socket()
    ready = await first.identify(CAPTAIN, ALL)
    again = await _resumed(sandbox, ready["session_id"], 10_000)
    assert await again.closed() == Close.INVALID_SEQ


async def test_what_the_buffer_has_forgotten_cannot_be_resumed() -> None:
    async with serving(build(config(gateway={"replay_events": 1}))) as sandbox:
        first = await sandbox.socket()
        ready = await first.identify(CAPTAIN, ALL)
        again = await _resumed(sandbox, ready["session_id"], 0)
        assert (await again.receive())["op"] == Op.INVALID_SESSION


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_client_that_closes_properly_ends_its_session(sandbox: Sandbox, code: int) -> None:
    first = await sandbox.socket()
    ready = await first.identify(CAPTAIN, ALL)
    await first.raw.close(code=code)
    again = await _resumed(sandbox, ready["session_id"], first.seq)
    assert (await again.receive())["op"] == Op.INVALID_SESSION


async def test_a_session_is_forgotten_when_nobody_resumes_it_in_time() -> None:
    async with serving(build(config(gateway={"resume_window_s": 0.0}))) as sandbox:
        watcher = await sandbox.listening(YOU)
        first = await sandbox.socket()
        ready = await first.identify(CAPTAIN, ALL)
        await sandbox.chaos("drop", "captain")
        while (await watcher.until("PRESENCE_UPDATE"))["status"] != "offline":
            pass
        again = await _resumed(sandbox, ready["session_id"], first.seq)
        assert (await again.receive())["op"] == Op.INVALID_SESSION


async def test_the_days_identifies_are_counted() -> None:
    async with serving(build(config(gateway={"identifies_per_day": 1}))) as sandbox:
        first = await sandbox.socket()
        await first.identify(CAPTAIN, ALL)
        second = await sandbox.socket()
        await second.send(Op.IDENTIFY, identity(CAPTAIN, ALL))
        assert await second.closed() == Close.AUTHENTICATION_FAILED
        await first.closed()
        assert first.raw.closed
        await (await sandbox.socket()).identify(ROOK, ALL)
        headers = {"Authorization": f"Bot {CAPTAIN}"}
        url = f"http://127.0.0.1:{sandbox.port}/api/v10/gateway/bot"
        async with sandbox._http.get(url, headers=headers) as response:
            limit = (await response.json())["session_start_limit"]
        assert (limit["total"], limit["remaining"]) == (1, 0)


async def test_identifies_in_a_hurry_are_invalid_sessions_when_configured_so() -> None:
    async with serving(build(config(gateway={"identify_every_s": 60}))) as sandbox:
        await (await sandbox.socket()).identify(CAPTAIN, ALL)
        second = await sandbox.socket()
        await second.receive()
        await second.send(Op.IDENTIFY, identity(CAPTAIN, ALL))
        assert (await second.receive())["op"] == Op.INVALID_SESSION


async def test_a_drop_that_is_resumed_soon_is_not_seen_by_others(sandbox: Sandbox) -> None:
    first = await sandbox.socket()
    ready = await first.identify(CAPTAIN, ALL)
    await first.send(Op.PRESENCE_UPDATE, {"status": "idle", "activities": []})
    await first.until("PRESENCE_UPDATE")
    watcher = await sandbox.listening(GUEST)
    await sandbox.chaos("drop", "captain")
    again = await _resumed(sandbox, ready["session_id"], first.seq)
    await again.until("RESUMED")
    await again.send(Op.PRESENCE_UPDATE, {"status": "dnd", "activities": []})
    assert (await watcher.until("PRESENCE_UPDATE"))["status"] == "dnd"


async def test_chaos_needs_an_operator_and_a_known_deed(sandbox: Sandbox) -> None:
    http = sandbox._http
    url = f"http://127.0.0.1:{sandbox.port}/sandbox/chaos"
    for token, body, status in (
        (GUEST, {"do": "drop"}, 403),
        ("", {"do": "drop"}, 403),
        (bot_token(7), {"do": "drop"}, 403),
        (YOU, {"do": "burn"}, 400),
        (YOU, ["drop"], 400),
        (YOU, {"do": "drop", "bot": "nobody"}, 404),
        (YOU, {"do": "drop"}, 200),
    ):
        async with http.post(url, json=body, headers={"Authorization": token}) as response:
            assert response.status == status


async def _resumed(sandbox: Sandbox, session_id: str, seq: int | None) -> Socket:
    """A new socket that has sent RESUME and read nothing but HELLO."""
    socket = await sandbox.socket()
    assert (await socket.receive())["op"] == Op.HELLO
    await socket.send(Op.RESUME, {"token": CAPTAIN, "session_id": session_id, "seq": seq})
    return socket
