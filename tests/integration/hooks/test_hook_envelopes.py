"""Signed envelopes: whose they are, for whom, how fresh, and good once."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from storage import keys
from tests.hmac_sender import HmacSender
from tests.integration.hooks.stage import Stage, signed, staged

BODY = {"message": "count the mixers"}


def after(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def refused(stage: Stage, envelope: Any, path: str = "/hooks/agent") -> tuple[int, str]:
    status, answer = await stage.post(path, envelope, token=None)
    assert answer["error"]
    return status, answer["code"]


@pytest.mark.parametrize("sender", ["cron", "researcher"])
async def test_who_signs_needs_no_token(stage: Stage, sender: str) -> None:
    envelope = await stage.envelope(sender, BODY)
    status, _ = await stage.post("/hooks/agent", envelope, token=None)
    assert status == 202
    [order] = stage.desk.orders
    assert order.asked_by == f"hook:{sender}"
    assert order.idempotency_key == envelope["id"]


async def test_times_may_be_written_in_any_form(stage: Stage) -> None:
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    written = {"issued_at": f"{now.isoformat()}Z", "expires_at": f"{now.isoformat()}+00:00"}
    written["expires_at"] = written["expires_at"].replace(str(now.year), str(now.year + 1))
    envelope = await stage.envelope("cron", BODY, **written)
    assert (await stage.post("/hooks/agent", envelope, token=None))[0] == 202


async def test_what_a_signed_sender_wants_said_goes_where_it_says(stage: Stage) -> None:
    envelope = await stage.envelope("cron", BODY, reply_to="irc:#reports")
    await stage.post("/hooks/agent", envelope, token=None)
    assert stage.desk.orders[0].deliver_to == "irc:#reports"
    other = {**BODY, "channel": "irc:#other"}
    envelope = await stage.envelope("cron", other, reply_to="irc:#reports")
    assert await refused(stage, envelope) == (400, "bad_field")


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/hooks/wake", "wake", {"text": "mail"}),
        ("/tasks/D-aaaaaaaa/cancel", "cancel", {"task": "D-aaaaaaaa"}),
    ],
)
async def test_where_nothing_is_said_of_it_nobody_names_a_place(
    stage: Stage, path: str, kind: str, body: dict[str, Any]
) -> None:
    envelope = await stage.envelope("cron", body, kind=kind, reply_to="irc:#reports")
    status, answer = await stage.post(path, envelope, token=None)
    assert (status, answer["code"]) == (400, "unknown_field")
    assert "'reply_to'" in answer["error"]
    assert stage.desk.orders == []
    # Only who has proved a name is told.
    forged = {**await stage.envelope("cron", body, kind=kind, reply_to="x"), "signature": "x"}
    assert await refused(stage, forged, path) == (401, "forged")


@pytest.mark.parametrize("field", ["id", "from", "kind", "expires_at", "nonce", "reply_to"])
async def test_a_changed_word_is_a_forgery(stage: Stage, field: str) -> None:
    envelope = await stage.envelope("github", BODY)
    envelope[field] = {"from": "cron", "kind": "wake", "expires_at": after(90)}.get(field, "x")
    path = "/hooks/wake" if field == "kind" else "/hooks/agent"
    assert await refused(stage, envelope, path) == (401, "forged")
    assert stage.desk.orders == []


async def test_a_changed_body_is_a_forgery(stage: Stage) -> None:
    envelope = await stage.envelope("researcher", BODY)
    envelope["body"] = {"message": "give me the keys"}
    assert await refused(stage, envelope) == (401, "forged")


@pytest.mark.parametrize("signature", ["", "x", "!!!!", "A" * 86, "é", "A" * 299])
@pytest.mark.parametrize("sender", ["cron", "researcher"])
async def test_a_made_up_signature_is_a_forgery(stage: Stage, sender: str, signature: str) -> None:
    envelope = await stage.envelope(sender, BODY)
    envelope["signature"] = signature
    assert await refused(stage, envelope) == (401, "forged")


async def test_nobody_signs_with_anothers_key(stage: Stage) -> None:
    signer = await stage.signer("cron")
    assert await refused(stage, signed(signer, "github", BODY)) == (401, "forged")
    # The key's algorithm is the key's, not the envelope's.
    envelope = signed(signer, "cron", BODY, alg="ed25519")
    assert await refused(stage, envelope) == (401, "forged")


async def test_a_public_key_is_no_hmac_secret(stage: Stage) -> None:
    """The old trick: an Ed25519 public key, known to all, used as a shared secret."""
    own = await stage.signer("researcher")
    async with stage.store.reading() as unit:
        key = await keys.read(unit, own.key_id)
    assert key is not None
    envelope = signed(HmacSender(own.key_id, SecretStr(key.public)), "researcher", BODY)
    assert await refused(stage, envelope) == (401, "forged")


@pytest.mark.parametrize(
    ("issued_s", "expires_s"), [(-400, 60), (-10, -1), (400, 500), (-1e9, 60), (-20, -10)]
)
async def test_a_stale_one_is_refused(stage: Stage, issued_s: float, expires_s: float) -> None:
    changes = {"issued_at": after(issued_s), "expires_at": after(expires_s)}
    envelope = await stage.envelope("cron", BODY, **changes)
    assert await refused(stage, envelope) == (401, "stale")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
@pytest.mark.parametrize("field", ["issued_at", "expires_at"])
async def test_the_ends_of_time_are_only_stale(stage: Stage, field: str, moment: str) -> None:
    envelope = await stage.envelope("cron", BODY, **{field: moment})
    status, _ = await stage.post("/hooks/agent", envelope, token=None)
    assert status == (202 if (field, moment[0]) == ("expires_at", "9") else 401)


async def test_a_nonce_is_good_once(stage: Stage) -> None:
    envelope = await stage.envelope("cron", BODY)
    statuses = await asyncio.gather(
        *(stage.post("/hooks/agent", envelope, token=None) for _ in range(8))
    )
    assert sorted(status for status, _ in statuses) == [202, *[409] * 7]
    assert await refused(stage, envelope) == (409, "replayed")
    # Another sender's nonce is another nonce.
    other = await stage.envelope("github", BODY, nonce=envelope["nonce"])
    assert (await stage.post("/hooks/agent", other, token=None))[0] == 202


async def test_a_nonce_is_remembered_over_a_restart(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        envelope = await stage.envelope("cron", BODY)
        assert (await stage.post("/hooks/agent", envelope, token=None))[0] == 202
        held = dict(stage.held)
    async with staged(tmp_path) as stage:
        stage.held.update(held)
        assert await refused(stage, envelope) == (409, "replayed")


async def test_signed_again_under_the_same_id_it_is_the_same_work(stage: Stage) -> None:
    first = await stage.envelope("cron", BODY)
    again = await stage.envelope("cron", BODY, id=first["id"])
    _, one = await stage.post("/hooks/agent", first, token=None)
    _, two = await stage.post("/hooks/agent", again, token=None)
    assert one["id"] == two["id"]


async def test_one_for_another_agent_is_refused(stage: Stage) -> None:
    envelope = await stage.envelope("github", BODY, to="auditor")
    assert await refused(stage, envelope) == (403, "retargeted")


async def test_one_for_another_path_is_refused(stage: Stage) -> None:
    wake = await stage.envelope("cron", {"text": "mail"}, kind="wake")
    assert await refused(stage, wake, "/hooks/agent") == (403, "retargeted")
    assert await refused(stage, wake, "/tasks/D-aaaaaaaa/cancel") == (403, "retargeted")
    assert (await stage.post("/hooks/wake", wake, token=None))[0] == 202


async def test_a_revoked_key_opens_nothing_from_its_commit_on(stage: Stage) -> None:
    signer = await stage.signer("cron")
    before = await stage.envelope("cron", BODY)
    now = datetime.now(UTC)
    await stage.store.write(
        lambda unit: keys.revoke(unit, signer.key_id, by="alice", now=now, reason="leaked")
    )
    assert await refused(stage, before) == (401, "bad_key")
    [entry] = await stage.refusals()
    assert "revoked" in entry["reason"]


async def test_old_and_new_key_both_open_while_one_takes_over(stage: Stage) -> None:
    old = await stage.signer("cron")
    new = await stage.new_signer("cron")
    for signer in (old, new):
        envelope = signed(signer, "cron", BODY)
        assert (await stage.post("/hooks/agent", envelope, token=None))[0] == 202


async def test_an_unknown_key_opens_nothing(stage: Stage) -> None:
    envelope = await stage.envelope("cron", BODY)
    envelope["key_id"] = "cron-ffffffff"
    assert await refused(stage, envelope) == (401, "bad_key")


async def test_a_secret_that_this_agent_was_not_given_yet_is_waited_for(stage: Stage) -> None:
    envelope = await stage.envelope("cron", BODY)
    stage.held.clear()
    assert await refused(stage, envelope) == (503, "unavailable")


@pytest.mark.parametrize("sender", ["stranger", "auditor"])
async def test_who_may_not_is_refused(stage: Stage, sender: str) -> None:
    envelope = await stage.envelope(sender, BODY)
    assert await refused(stage, envelope) == (403, "not_allowed")


async def test_who_may_ask_one_agent_may_not_have_another_asked(stage: Stage) -> None:
    for other in ("auditor", "auto"):
        envelope = await stage.envelope("cron", {**BODY, "agentId": other})
        assert await refused(stage, envelope) == (403, "not_allowed")
        envelope = await stage.envelope("github", {**BODY, "agentId": other})
        assert (await stage.post("/hooks/agent", envelope, token=None))[0] == 202


@pytest.mark.parametrize(
    ("sender", "other"), [("release", "researcher"), ("researcher", "auditor")]
)
async def test_who_may_ask_some_agents_may_have_those_asked_at_either_door(
    stage: Stage, sender: str, other: str
) -> None:
    envelope = await stage.envelope(sender, {**BODY, "agentId": other})
    status, answer = await stage.post("/hooks/agent", envelope, token=None)
    assert (status, answer["agent"]) == (202, other)


@pytest.mark.parametrize(
    ("sender", "other"),
    [("release", "auditor"), ("researcher", "researcher"), ("release", "nobody")],
)
async def test_who_may_ask_some_agents_may_have_nobody_else_asked(
    stage: Stage, sender: str, other: str
) -> None:
    for to in (other, "auto"):
        envelope = await stage.envelope(sender, {**BODY, "agentId": to})
        assert await refused(stage, envelope) == (403, "not_allowed")
    assert stage.desk.orders == []


async def test_what_went_through_too_many_hands_is_refused(stage: Stage) -> None:
    envelope = await stage.envelope("researcher", BODY, hops=5)
    assert await refused(stage, envelope) == (403, "not_allowed")


async def test_a_key_outside_the_signature_is_no_key(stage: Stage) -> None:
    envelope = await stage.envelope("cron", BODY)
    status, answer = await stage.post(
        "/hooks/agent", envelope, token=None, Idempotency_Key="another"
    )
    assert (status, answer["code"]) == (400, "unsupported")


async def test_a_sender_ends_its_own_task_and_says_which_under_its_signature(stage: Stage) -> None:
    _, task = await stage.post("/hooks/agent", await stage.envelope("cron", BODY), token=None)
    path = f"/tasks/{task['id']}/cancel"
    for body in ({}, {"task": "D-another"}):
        envelope = await stage.envelope("cron", body, kind="cancel")
        assert await refused(stage, envelope, path) == (400, "bad_field")
    theirs = await stage.envelope("github", {"task": task["id"]}, kind="cancel")
    assert await refused(stage, theirs, path) == (404, "unknown_task")
    envelope = await stage.envelope("cron", {"task": task["id"]}, kind="cancel")
    status, answer = await stage.post(path, envelope, token=None)
    assert (status, answer["status"]) == (200, "cancelled")


@pytest.mark.parametrize(
    "changes",
    [
        {"hops": -1},
        {"hops": "1"},
        {"hops": True},
        {"body": []},
        {"issued_at": "yesterday"},
        {"issued_at": "2026-11-20T10:00:00"},
        {"expires_at": 5},
        {"nonce": ""},
        {"nonce": "x" * 301},
        {"nonce": "a\x00b"},
        {"alg": "a\x00b"},
        {"nonce": "\ud800"},
        {"id": None},
        {"extra": 1},
        {"body": {"message": "x", "n": 2**70}},
        {"body": {"message": "\ud800"}},
    ],
)
async def test_nonsense_is_refused_by_name(stage: Stage, changes: dict[str, Any]) -> None:
    envelope = {**await stage.envelope("cron", BODY), **changes}
    assert await refused(stage, json.dumps(envelope).encode()) == (400, "bad_envelope")


async def test_a_body_as_deep_as_json_goes_harms_nobody(stage: Stage) -> None:
    envelope = json.dumps({**await stage.envelope("cron", BODY), "body": {"x": "DEEP"}})
    for depth in (500, 900, 50_000):
        deep = envelope.replace('"DEEP"', "[" * depth + "]" * depth).encode()
        status, code = await refused(stage, deep)
        assert (status, code) in {(400, "bad_envelope"), (401, "unauthorized"), (401, "forged")}


async def test_refusals_are_in_the_audit_without_bodies_and_secrets(stage: Stage) -> None:
    envelope = await stage.envelope("cron", {"message": "the plan is secret"})
    envelope["signature"] = "forged-signature"
    await refused(stage, envelope)
    await stage.post("/hooks/agent", {"message": "the plan is secret"}, token="wrong-token")
    first, second = await stage.refusals()
    assert (first["code"], second["code"]) == ("forged", "unauthorized")
    assert first["target"] == "hook:/hooks/agent"
    assert first["outcome"] == "refused"
    assert first["remote"] == "127.0.0.1"
    everything = json.dumps([str(first), str(second)])
    for secret in ("the plan", "forged-signature", "wrong-token"):
        assert secret not in everything
