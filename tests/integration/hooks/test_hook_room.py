"""Work comes in by HTTP: what a script sends, and what it is told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bots.delegating.order import Order
from storage import delegations
from storage.delegation_tables import DelegationState
from tests.integration.hooks.stage import CONTROL, Stage, staged


def only(stage: Stage) -> Order:
    [order] = stage.desk.orders
    return order


async def test_a_message_is_taken_at_once(stage: Stage) -> None:
    status, answer = await stage.post("/hooks/agent", {"message": "count the mixers"})
    assert status == 202
    assert answer["ok"] is True
    assert answer["id"] == answer["runId"]
    assert answer["status"] == "queued"
    assert answer["agent"] == "captain"
    assert answer["result"] is answer["error"] is answer["delivered"] is None
    order = only(stage)
    assert (order.to, order.instruction, order.asked_by) == (
        "captain",
        "count the mixers",
        "hook:token",
    )
    assert await stage.refusals() == []


async def test_who_waits_gets_the_result(stage: Stage) -> None:
    asked = asyncio.create_task(
        stage.post("/hooks/agent", {"message": "count the mixers", "wait": 30})
    )
    async with asyncio.timeout(10):
        await stage.desk.waits.wait()
    [row] = [await stage.desk.read(code) for code in await codes(stage)]
    assert row is not None
    await stage.desk.finish(row.code, "three")
    status, answer = await asked
    assert (status, answer["status"], answer["result"]) == (200, "done", "three")


async def test_who_waits_too_short_is_told_how_it_is(stage: Stage) -> None:
    status, answer = await stage.post("/hooks/agent", {"message": "count", "wait": 0.1})
    assert (status, answer["status"]) == (202, "queued")


async def test_a_failure_is_a_result_too(stage: Stage) -> None:
    _, first = await stage.post("/hooks/agent", {"message": "count", "idempotencyKey": "k"})
    await stage.desk.finish(first["id"], error="there are none")
    status, answer = await stage.post(
        "/hooks/agent", {"message": "count", "idempotencyKey": "k", "wait": 5}
    )
    assert (status, answer["status"], answer["error"]) == (200, "failed", "there are none")


async def test_beyond_the_seats_nobody_is_kept_waiting(tmp_path: Path) -> None:
    async with staged(tmp_path, waiting=1) as stage:
        first = asyncio.create_task(stage.post("/hooks/agent", {"message": "a", "wait": 60}))
        async with asyncio.timeout(10):
            await stage.desk.waits.wait()
        status, second = await stage.post("/hooks/agent", {"message": "b", "wait": 60})
        assert (status, second["status"]) == (202, "queued")
        for code in await codes(stage):
            await stage.desk.finish(code, "done")
        assert (await first)[0] == 200


async def test_a_caller_that_goes_away_frees_its_seat(tmp_path: Path) -> None:
    async with staged(tmp_path, waiting=1) as stage:
        raw = json.dumps({"message": "a", "wait": 60}).encode()
        head = (
            f"POST /hooks/agent HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(raw)}\r\n"
            "Authorization: Bearer the-hook-token-of-the-test\r\n\r\n"
        )
        _, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(head.encode() + raw)
        async with asyncio.timeout(10):
            await stage.desk.waits.wait()
        writer.close()
        async with asyncio.timeout(30):
            status, other = await stage.post("/hooks/agent", {"message": "b", "wait": 0.1})
            while other["id"] not in stage.desk.waited_for:
                again = {"message": str(len(stage.desk.orders)), "wait": 0.1}
                status, other = await stage.post("/hooks/agent", again)
        assert status == 202


async def test_a_result_is_shown_as_delivered_with_its_proof(stage: Stage) -> None:
    _, first = await stage.post("/hooks/agent", {"message": "count", "channel": "irc:#reports"})
    assert only(stage).deliver_to == "irc:#reports"
    await stage.desk.finish(first["id"], "three")
    status, answer = await stage.get(f"/tasks/{first['id']}")
    assert (status, answer["status"], answer["delivered"]) == (200, "done", None)
    await stage.desk.deliver(first["id"], "M-1", "msgid")
    _, answer = await stage.get(f"/tasks/{first['id']}")
    told = {"target": "irc:#reports", "message_id": "M-1", "proof": "msgid"}
    assert (answer["delivered"], answer["undelivered"]) == (told, None)


@pytest.mark.parametrize("where", ["header", "body"])
async def test_the_same_key_gives_the_first_result(stage: Stage, where: str) -> None:
    body: dict[str, Any] = {"message": "count"}
    headers = {"Idempotency_Key": "nightly-1"} if where == "header" else {}
    body |= {"idempotencyKey": "nightly-1"} if where == "body" else {}
    _, first = await stage.post("/hooks/agent", body, **headers)
    _, again = await stage.post("/hooks/agent", body, **headers)
    assert again["id"] == first["id"]
    await stage.desk.finish(first["id"], "three")
    status, later = await stage.post("/hooks/agent", body, **headers)
    assert (status, later["id"], later["result"]) == (200, first["id"], "three")
    status, other = await stage.post("/hooks/agent", {**body, "message": "x"}, **headers)
    assert (status, other["code"]) == (409, "reused")


async def test_a_key_belongs_to_who_used_it(stage: Stage) -> None:
    _, first = await stage.post("/hooks/agent", {"message": "count", "idempotencyKey": "k"})
    envelope = await stage.envelope("cron", {"message": "count", "idempotencyKey": "k"})
    _, other = await stage.post("/hooks/agent", envelope, token=None)
    assert other["id"] != first["id"]


async def test_a_word_to_think_about(stage: Stage) -> None:
    status, answer = await stage.post("/hooks/wake", {"text": "mail came", "mode": "now"})
    assert (status, answer["status"]) == (202, "queued")
    await stage.post("/hooks/wake", {"text": "mail came", "mode": "next-heartbeat"})
    now, later = stage.desk.orders
    assert (now.kind, now.instruction) == ("wake", "mail came")
    assert now.priority < later.priority


async def test_a_task_can_be_cancelled_by_who_asked(stage: Stage) -> None:
    _, first = await stage.post("/hooks/agent", {"message": "count", "name": "nightly"})
    status, answer = await stage.post(f"/tasks/{first['id']}/cancel", {"reason": "no more"})
    assert (status, answer["status"]) == (200, "cancelled")
    assert "no more" in answer["error"]
    status, again = await stage.post(f"/tasks/{first['id']}/cancel", b"")
    assert (status, again["status"]) == (200, "cancelled")


async def test_what_others_asked_for_is_not_there(stage: Stage) -> None:
    envelope = await stage.envelope("cron", {"message": "count"})
    _, theirs = await stage.post("/hooks/agent", envelope, token=None)
    for code in (theirs["id"], "D-nothing", "%00", "D-" + "x" * 900):
        status, answer = await stage.get(f"/tasks/{code}")
        assert (status, answer["code"]) == (404, "unknown_task")
    status, answer = await stage.post(f"/tasks/{theirs['id']}/cancel", {})
    assert (status, answer["code"]) == (404, "unknown_task")
    row = await stage.desk.read(theirs["id"])
    assert row is not None
    assert row.state == DelegationState.QUEUED


async def test_the_engines_refusals_have_their_codes(stage: Stage) -> None:
    status, answer = await stage.post("/hooks/agent", {"message": "x", "agentId": "reseracher"})
    assert (status, answer["code"]) == (404, "unknown_agent")
    stage.desk.forbidden.add("auditor")
    status, answer = await stage.post("/hooks/agent", {"message": "x", "agentId": "auditor"})
    assert (status, answer["code"]) == (403, "not_allowed")
    stage.desk.killed_by = "alice"
    status, answer = await stage.post("/hooks/agent", {"message": "x"})
    assert (status, answer["code"]) == (503, "killed")
    codes = [e["code"] for e in await stage.refusals()]
    assert codes == ["unknown_agent", "not_allowed", "killed"]
    assert {e["caller"] for e in await stage.refusals()} == {"hook:token"}


async def test_a_store_that_is_away_is_said(stage: Stage) -> None:
    await stage.store.close()
    status, answer = await stage.post("/hooks/agent", {"message": "x"})
    assert (status, answer["code"]) == (503, "unavailable")


async def test_the_two_tokens_open_different_things(stage: Stage) -> None:
    status, answer = await stage.post("/hooks/agent", {"message": "x"}, token=CONTROL)
    assert (status, answer["code"]) == (401, "unauthorized")
    status, _ = await stage.post("/control/kill", {"scope": "all"})
    assert status == 401


async def test_a_label_is_no_disguise(stage: Stage) -> None:
    await stage.post("/hooks/agent", {"message": "x", "name": " Mail  box "})
    assert only(stage).asked_by == "hook:token/Mail box"
    status, answer = await stage.post("/hooks/agent", {"message": "x", "name": "a/b"})
    assert (status, answer["code"]) == (400, "bad_field")


async def codes(stage: Stage) -> list[str]:
    async with stage.store.reading() as unit:
        return [row.code for row in await delegations.recent(unit, 100)]
