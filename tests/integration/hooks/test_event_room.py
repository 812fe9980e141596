"""Events, subscriptions and knowledge by HTTP, with the hooks' token."""

from __future__ import annotations

from typing import Any

import pytest

from bots.clock import utc_now
from storage import audit, events
from storage.latch import Latch
from tests.integration.hooks.stage import Stage, staged

MIXER = {
    "title": "The mixer",
    "text": "It hums at 50 Hz.",
    "source": "https://example.org/m",
    "confidence": 0.8,
}


async def happens(stage: Stage, *texts: str, topic: str = "kill") -> None:
    async with stage.store.writing() as unit:
        for text in texts:
            await events.record(unit, topic=topic, agent="auditor", text=text, at=utc_now())
        await events.hand_out(unit, utc_now())


async def delete(stage: Stage, path: str) -> tuple[int, dict[str, Any]]:
    sent = {"Authorization": f"Bearer {stage.spec.hook_token.get_secret_value()}"}  # type: ignore[union-attr]
    async with stage.http.delete(f"{stage.url}{path}", headers=sent) as response:
        return response.status, await response.json()


async def test_events_are_read_from_a_number_on(stage: Stage) -> None:
    await happens(stage, "one", "two")
    await happens(stage, "three", topic="delegation.failed")
    status, found = await stage.get("/events")
    assert status == 200
    assert [(e["number"], e["text"]) for e in found["events"]] == [
        (1, "one"),
        (2, "two"),
        (3, "three"),
    ]
    assert found["next"] == 3
    _, found = await stage.get("/events?since=1&topic=delegation")
    assert [e["text"] for e in found["events"]] == ["three"]
    assert await stage.get("/events?since=3") == (200, {"events": [], "next": 3})


async def test_a_channel_is_subscribed_seen_and_ended(stage: Stage) -> None:
    wanted = {"receiver": "irc:#Reports", "topic": "delegation.*", "quiet": "22:00-07:00"}
    status, made = await stage.post("/subscriptions", wanted | {"zone": "Europe/Berlin"})
    assert status == 200
    assert made["receiver"] == "irc:#reports"
    assert made["quiet"] == "22:00-07:00 Europe/Berlin"
    assert made["made_by"] == "hook:token"
    await happens(stage, "it failed", topic="delegation.failed")
    _, found = await stage.get("/subscriptions?receiver=irc:%23reports")
    assert [(s["id"], s["unread"]) for s in found["subscriptions"]] == [(made["id"], 1)]
    status, ended = await delete(stage, f"/subscriptions/{made['id']}")
    assert (status, ended["topic"]) == (200, "delegation.*")
    assert (await stage.get("/subscriptions"))[1] == {"subscriptions": []}
    status, refused = await delete(stage, f"/subscriptions/{made['id']}")
    assert (status, refused["code"]) == (404, "unknown_subscription")
    async with stage.store.reading() as unit:
        verbs = [entry.verb for entry in await audit.entries(unit, "captain")]
    assert verbs == ["subscribe", "unsubscribe", "refused"]


async def test_knowledge_is_published_and_found(stage: Stage) -> None:
    status, made = await stage.post("/knowledge", MIXER)
    assert status == 200
    assert (made["by"], made["instead_of"]) == ("hook:token", None)
    _, again = await stage.post("/knowledge", MIXER | {"text": "It hums at 60 Hz."})
    assert again["instead_of"] == made["id"]
    _, found = await stage.get("/knowledge?q=humming%20mixers")
    assert [(k["text"], k["confidence"]) for k in found["knowledge"]] == [
        ("It hums at 60 Hz.", 0.8)
    ]
    await happens(stage)
    _, told = await stage.get("/events?topic=knowledge")
    assert [e["topic"] for e in told["events"]] == ["knowledge.published", "knowledge.superseded"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/events?since=-1", None, 400, "bad_field"),
        ("/events?since=1&since=2", None, 400, "bad_field"),
        ("/events?topic=weather", None, 400, "bad_field"),
        ("/events?topics=kill", None, 400, "unknown_field"),
        ("/events?limit=0", None, 400, "bad_field"),
        ("/knowledge?limit=501", None, 400, "bad_field"),
        ("/subscriptions", {"topic": "kill"}, 400, "bad_field"),
        ("/subscriptions", {"receiver": "irc:nick:alice", "topic": "kill"}, 400, "bad_field"),
        ("/subscriptions", {"receiver": "agent:nobody", "topic": "kill"}, 404, "unknown_agent"),
        ("/subscriptions", {"receiver": "irc:#a", "topic": "KILL"}, 400, "bad_field"),
        ("/subscriptions", {"receiver": "irc:#a", "topic": "kill", "quiet": "x"}, 400, "bad_field"),
        (
            "/subscriptions",
            {"receiver": "irc:#a", "topic": "kill", "zone": "X"},
            404,
            "unknown_zone",
        ),
        ("/knowledge", {**MIXER, "confidence": 2}, 400, "bad_field"),
        ("/knowledge", {**MIXER, "confidence": None}, 400, "bad_field"),
        ("/knowledge", {**MIXER, "sure": 1}, 400, "unknown_field"),
        ("/knowledge", b"no json", 400, "bad_json"),
    ],
)
async def test_what_is_wrong_is_refused_by_name(
    stage: Stage, path: str, body: Any, status: int, code: str
) -> None:
    answered = await (stage.get(path) if body is None else stage.post(path, body))
    assert (answered[0], answered[1]["code"]) == (status, code)


async def test_who_has_no_token_is_nobody(stage: Stage) -> None:
    for path in ("/events", "/subscriptions", "/knowledge"):
        assert (await stage.get(path, token=None))[0] == 401
        assert (await stage.get(path, token="guessed"))[0] == 401
    envelope = await stage.envelope("github", MIXER)
    assert (await stage.post("/knowledge", envelope, token=None))[0] == 401


async def test_a_killed_agent_takes_nothing_and_shows_all(stage: Stage) -> None:
    stage.latched["captain"] = Latch("captain", True, "alice", "irc", "", utc_now())
    status, refused = await stage.post("/knowledge", MIXER)
    assert (status, refused["code"]) == (503, "killed")
    wanted = {"receiver": "irc:#reports", "topic": "kill"}
    assert (await stage.post("/subscriptions", wanted))[0] == 503
    assert (await stage.get("/events"))[0] == 200


async def test_the_body_is_bounded_and_so_is_one_receiver(tmp_path: Any) -> None:
    async with staged(tmp_path, body_bytes=1_024) as stage:
        status, refused = await stage.post("/knowledge", MIXER | {"text": "x" * 2_000})
        assert (status, refused["code"]) == (413, "too_large")
        for n in range(20):
            wanted = {"receiver": "agent:auditor", "topic": f"kill.{n}"}
            assert (await stage.post("/subscriptions", wanted))[0] == 200
        status, refused = await stage.post("/subscriptions", wanted | {"topic": "kill"})
        assert (status, refused["code"]) == (409, "full")
