"""Scripts that were written for OpenClaw's hooks, as its documentation shows them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.integration.hooks.stage import TOKEN, Stage


async def test_its_token_header_opens_the_door(stage: Stage) -> None:
    body = {"message": "Summarize inbox", "name": "Email", "wakeMode": "next-heartbeat"}
    status, answer = await stage.post("/hooks/agent", body, token=None, x_openclaw_token=TOKEN)
    assert status == 202
    assert answer["ok"] is True
    assert answer["runId"] == answer["id"]
    assert stage.desk.orders[0].asked_by == "hook:token/Email"


async def test_a_bearer_token_counts_before_its_own_header(stage: Stage) -> None:
    status, _ = await stage.post(
        "/hooks/agent", {"message": "x"}, token="wrong", x_openclaw_token=TOKEN
    )
    assert status == 401


async def test_a_token_in_the_address_is_refused(stage: Stage) -> None:
    status, answer = await stage.post(f"/hooks/agent?token={TOKEN}", {"message": "x"})
    assert (status, answer["code"]) == (400, "unsupported")


async def test_its_whole_payload(stage: Stage) -> None:
    body = {
        "message": "Run this",
        "name": "Email",
        "agentId": "researcher",
        "sessionMode": "isolated",
        "wakeMode": "now",
        "deliver": True,
        "channel": "discord",
        "to": "channel:123",
        "timeoutSeconds": 120,
        "idempotencyKey": "msg-1",
    }
    status, _ = await stage.post("/hooks/agent", body)
    assert status == 202
    [order] = stage.desk.orders
    assert (order.to, order.deliver_to) == ("researcher", "discord:channel:123")
    assert order.deadline.total_seconds() == 120
    assert order.idempotency_key == "msg-1"


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ({"channel": "discord", "to": "user:45"}, "discord:user:45"),
        ({"channel": "irc", "to": "#market"}, "irc:#market"),
        ({"channel": "IRC", "to": "nick:alice"}, "irc:nick:alice"),
        ({"deliver": False, "channel": "telegram", "to": "+15551234567"}, ""),
        ({"deliver": False, "channel": "last"}, ""),
        ({}, ""),
    ],
)
async def test_where_the_result_is_said(stage: Stage, fields: dict[str, Any], target: str) -> None:
    status, _ = await stage.post("/hooks/agent", {"message": "x", **fields})
    assert (status, stage.desk.orders[0].deliver_to) == (202, target)


@pytest.mark.parametrize(
    ("fields", "code", "names"),
    [
        ({"model": "openai/gpt-5.2-mini"}, "unsupported", "'model'"),
        ({"thinking": "low"}, "unsupported", "'thinking'"),
        ({"sessionKey": "hook:email:1"}, "unsupported", "'sessionKey'"),
        ({"accountId": "work"}, "unsupported", "'accountId'"),
        ({"sessionMode": "persistent"}, "bad_field", "'sessionMode'"),
        ({"channel": "slack", "to": "C123"}, "bad_field", "'slack'"),
        ({"channel": "last"}, "bad_field", "'channel'"),
        ({"deliver": True}, "bad_field", "'deliver'"),
        ({"to": "channel:1"}, "bad_field", "'to'"),
        ({"channel": "discord"}, "bad_field", "'channel'"),
        ({"channel": "discord", "to": "123"}, "bad_field", "'to'"),
        ({"mesage": "x"}, "unknown_field", "did you mean 'message'?"),
    ],
)
async def test_what_we_do_not_have_is_refused_by_name(
    stage: Stage, fields: dict[str, Any], code: str, names: str
) -> None:
    status, answer = await stage.post("/hooks/agent", {"message": "x", **fields})
    assert (status, answer["code"]) == (400, code)
    assert names in answer["error"]
    assert stage.desk.orders == []


async def test_waiting_for_completion_tells_as_it_does(stage: Stage) -> None:
    body = {"message": "x", "waitForCompletion": True, "idempotencyKey": "k", "timeoutSeconds": 60}
    asked = asyncio.create_task(stage.post("/hooks/agent", body))
    async with asyncio.timeout(10):
        await stage.desk.waits.wait()
    [code] = stage.desk.waited_for
    await stage.desk.finish(code, "three")
    status, answer = await asked
    assert status == 200
    assert answer["completion"] == {"status": "ok", "replyDisposition": "visible"}
    # The same key may be asked again without waiting: it is the same run.
    status, again = await stage.post("/hooks/agent", {"message": "x", "idempotencyKey": "k"})
    assert (status, again["runId"]) == (200, answer["runId"])


async def test_its_other_header_is_an_idempotency_key_too(stage: Stage) -> None:
    ids = set()
    for _ in range(2):
        _, answer = await stage.post(
            "/hooks/agent", {"message": "x"}, X_OpenClaw_Idempotency_Key="k"
        )
        ids.add(answer["id"])
    assert len(ids) == 1


async def test_a_wake_as_it_sends_it(stage: Stage) -> None:
    status, answer = await stage.post(
        "/hooks/wake", {"text": "New email received", "mode": "now", "agentId": "researcher"}
    )
    assert (status, answer["ok"]) == (202, True)
    assert stage.desk.orders[0].to == "researcher"
    status, answer = await stage.post("/hooks/wake", {"mode": "now"})
    assert (status, answer["error"]) == (400, "'text' is missing")
