"""Who is there: members asked for by op 8, presences as they change."""

from __future__ import annotations

from typing import Any

import pytest

from bots.sandbox.frames import Close, Op
from tests.integration.sandbox.stage import (
    CAPTAIN,
    CAPTAIN_ID,
    GUEST,
    Sandbox,
    Socket,
    identity,
)

ALL = 53608447


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"query": "", "limit": 0}, {"captain", "rook", "deaf", "you", "guest"}),
        ({"query": "ca", "limit": 5}, {"captain"}),
        ({"user_ids": [str(CAPTAIN_ID), "7"]}, {"captain"}),
        ({"user_ids": str(CAPTAIN_ID)}, {"captain"}),
        ({"query": "", "limit": 2}, {"captain", "rook"}),
    ],
    # Side by side every process must give a test the same name: a set has no order.
    ids=["everybody", "by-prefix", "by-ids", "by-id", "two"],
)
async def test_members_come_in_chunks_with_the_nonce(
    sandbox: Sandbox, asked: dict[str, Any], names: set[str]
) -> None:
    socket = await sandbox.socket()
    await socket.identify(CAPTAIN, ALL)
    request = {"guild_id": str(sandbox.guild_id), "presences": True, "nonce": "n1"} | asked
    await socket.send(Op.REQUEST_GUILD_MEMBERS, request)
    chunk = await socket.until("GUILD_MEMBERS_CHUNK")
    assert {m["user"]["username"] for m in chunk["members"]} == names
    assert (chunk["chunk_index"], chunk["chunk_count"], chunk["nonce"]) == (0, 1, "n1")
    assert chunk["not_found"] == (["7"] if "7" in asked.get("user_ids", ()) else [])
    assert [p["status"] for p in chunk["presences"]] == ["online"]


async def test_a_person_sees_presences_come_change_and_go(sandbox: Sandbox) -> None:
    watcher = await sandbox.listening(GUEST)
    socket = await sandbox.socket()
    await socket.identify(CAPTAIN, ALL)
    assert (await watcher.until("PRESENCE_UPDATE"))["status"] == "online"
    await socket.send(Op.PRESENCE_UPDATE, {"status": "dnd", "activities": [], "afk": False})
    assert (await watcher.until("PRESENCE_UPDATE"))["status"] == "dnd"
    await socket.raw.close(code=1000)
    gone = await watcher.until("PRESENCE_UPDATE")
    assert (gone["user"]["id"], gone["status"]) == (str(CAPTAIN_ID), "offline")


async def test_a_presence_in_identify_is_told_once(sandbox: Sandbox) -> None:
    watcher = await sandbox.listening(GUEST)
    socket = await sandbox.socket()
    shown: dict[str, Any] = {"status": "dnd", "activities": [], "afk": False}
    await socket.identify(CAPTAIN, ALL, presence=shown)
    assert await seen_until_a_message(sandbox, watcher) == ["dnd"]


@pytest.mark.parametrize("status", ["strange", ["dnd"], {"dnd": 1}], ids=str)
async def test_who_identifies_with_a_wrong_presence_is_not_seen(
    sandbox: Sandbox, status: object
) -> None:
    watcher = await sandbox.listening(GUEST)
    socket = await sandbox.socket()
    await socket.receive()
    wrong = identity(CAPTAIN, ALL, presence={"status": status})
    await socket.send(Op.IDENTIFY, wrong)
    assert await socket.closed() == Close.DECODE_ERROR
    assert await seen_until_a_message(sandbox, watcher) == []


async def seen_until_a_message(sandbox: Sandbox, watcher: Socket) -> list[str]:
    """The presences that `watcher` is told of before the message that is sent now."""
    [lobby] = [c for c in watcher.guild["channels"] if c["name"] == "lobby"]
    await sandbox.person().say(lobby["id"], "seen?")
    statuses = []
    while (frame := await watcher.receive())["t"] != "MESSAGE_CREATE":
        statuses += [frame["d"]["status"]] if frame["t"] == "PRESENCE_UPDATE" else []
    return statuses
