"""Messages by REST, as a person's client and a bot send the requests."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from bots.sandbox.server import build
from tests.integration.sandbox.stage import (
    CAPTAIN,
    CAPTAIN_ID,
    DEAF,
    GUEST,
    ROOK,
    ROOK_ID,
    YOU,
    Person,
    Sandbox,
    config,
    serving,
)

BOT = f"Bot {CAPTAIN}"
MEGABYTE = 1024 * 1024


async def lobby_of(sandbox: Sandbox) -> str:
    channels = await sandbox.person().ask("GET", f"/guilds/{sandbox.guild_id}/channels")
    return str(next(c["id"] for c in channels if c["name"] == "lobby"))


@pytest.fixture
async def lobby(sandbox: Sandbox) -> str:
    return await lobby_of(sandbox)


async def test_history_is_read_in_pages_newest_first(sandbox: Sandbox, lobby: str) -> None:
    you = sandbox.person()
    ids = [(await you.say(lobby, str(n)))["id"] for n in range(10)]

    async def page(query: str) -> list[str]:
        found = await you.ask("GET", f"/channels/{lobby}/messages?{query}")
        return [m["content"] for m in found]

    assert await page("limit=3") == ["9", "8", "7"]
    assert await page(f"before={ids[3]}&limit=2") == ["2", "1"]
    assert await page(f"after={ids[3]}&limit=2") == ["5", "4"]
    assert await page(f"around={ids[5]}&limit=3") == ["6", "5", "4"]
    assert await page("after=0") == [str(n) for n in range(9, -1, -1)]
    status, body = await you.try_to("GET", f"/channels/{lobby}/messages?limit=101")
    assert (status, body["code"]) == (400, 50035)


async def test_a_reply_shows_what_it_answers_and_calls_its_author_unless_told_not_to(
    sandbox: Sandbox, lobby: str
) -> None:
    you, captain = sandbox.person(), sandbox.person(BOT)
    asked = await you.say(lobby, "who is there?")
    # discord.py sends ids as numbers
    reference = {"message_id": int(asked["id"]), "channel_id": int(lobby)}
    loud = await captain.say(lobby, "me", message_reference=reference)
    assert loud["referenced_message"]["content"] == "who is there?"
    assert loud["type"] == 19
    assert [u["username"] for u in loud["mentions"]] == ["you"]
    quiet = await captain.say(
        lobby, "me", message_reference=reference, allowed_mentions={"parse": []}
    )
    assert quiet["mentions"] == []


async def test_a_reply_to_nothing_is_refused_or_sent_alone_as_asked(
    sandbox: Sandbox, lobby: str
) -> None:
    you = sandbox.person()
    body = {"content": "re", "message_reference": {"message_id": "1"}}
    status, refused = await you.try_to("POST", f"/channels/{lobby}/messages", json=body)
    assert (status, refused["code"]) == (400, 50035)
    [problem] = refused["errors"]["message_reference"]["_errors"]
    assert problem["code"] == "REPLIES_UNKNOWN_MESSAGE"
    reference = {"message_id": "1", "fail_if_not_exists": False}
    alone = await you.say(lobby, "re", message_reference=reference)
    assert "referenced_message" not in alone
    assert alone["type"] == 0


async def test_mentions_are_parsed_and_only_real_members_called(
    sandbox: Sandbox, lobby: str
) -> None:
    said = await sandbox.person().say(lobby, f"<@{ROOK_ID}> <@!{CAPTAIN_ID}> <@7>")
    assert [u["username"] for u in said["mentions"]] == ["rook", "captain"]
    only = await sandbox.person().say(
        lobby, f"<@{ROOK_ID}> <@{CAPTAIN_ID}>", allowed_mentions={"users": [str(ROOK_ID)]}
    )
    assert [u["username"] for u in only["mentions"]] == ["rook"]


@pytest.mark.parametrize(("token", "heard"), [(YOU, True), (GUEST, False), (BOT, False)])
async def test_everyone_is_called_only_by_who_may(
    sandbox: Sandbox, lobby: str, token: str, *, heard: bool
) -> None:
    said = await sandbox.person(token).say(lobby, "@everyone wake up")
    assert said["mention_everyone"] is heard


async def test_only_the_author_edits_and_an_edit_keeps_what_it_does_not_name(
    sandbox: Sandbox, lobby: str
) -> None:
    captain, you = sandbox.person(BOT), sandbox.person()
    said = await captain.say(lobby, "one", embeds=[{"title": "card"}])
    path = f"/channels/{lobby}/messages/{said['id']}"
    status, body = await you.try_to("PATCH", path, json={"content": "forged"})
    assert (status, body["code"]) == (403, 50005)
    edited = await captain.ask("PATCH", path, json={"content": "two"})
    assert (edited["content"], edited["embeds"][0]["title"]) == ("two", "card")
    assert edited["edited_timestamp"]
    status, body = await captain.try_to("PATCH", path, json={"content": "", "embeds": []})
    assert (status, body["code"]) == (400, 50006)
    assert (await captain.ask("GET", path))["content"] == "two"


async def test_who_deletes_what(sandbox: Sandbox, lobby: str) -> None:
    you, guest, captain = sandbox.person(), sandbox.person(GUEST), sandbox.person(BOT)
    said = await captain.say(lobby, "mine")
    path = f"/channels/{lobby}/messages/{said['id']}"
    status, body = await guest.try_to("DELETE", path)
    assert (status, body["code"]) == (403, 50013)
    assert await you.try_to("DELETE", path) == (204, None)
    status, body = await captain.try_to("GET", path)
    assert (status, body["code"]) == (404, 10008)


async def test_many_are_deleted_at_once_by_who_may(sandbox: Sandbox, lobby: str) -> None:
    you = sandbox.person()
    ids = [(await you.say(lobby, str(n)))["id"] for n in range(3)]
    path = f"/channels/{lobby}/messages/bulk-delete"
    status, body = await sandbox.person(GUEST).try_to("POST", path, json={"messages": ids})
    assert (status, body["code"]) == (403, 50013)
    status, body = await you.try_to("POST", path, json={"messages": ids[:1]})
    assert (status, body["code"]) == (400, 50016)
    assert await you.try_to("POST", path, json={"messages": [*ids, "5"]}) == (204, None)
    assert await you.history(lobby) == []


async def test_a_nonce_counts_for_one_author_and_only_when_enforced(
    sandbox: Sandbox, lobby: str
) -> None:
    captain, rook = sandbox.person(BOT), sandbox.person(f"Bot {ROOK}")
    same = {"nonce": "n-1", "enforce_nonce": True}
    first = await captain.say(lobby, "once", **same)
    assert (await captain.say(lobby, "once", **same))["id"] == first["id"]
    assert (await rook.say(lobby, "once", **same))["id"] != first["id"]
    assert (await captain.say(lobby, "once", nonce="n-1"))["id"] != first["id"]
    assert len(await captain.history(lobby)) == 3


async def test_a_bot_without_the_intent_reads_empty_messages_by_rest_too(
    sandbox: Sandbox, lobby: str
) -> None:
    await sandbox.person().say(lobby, "for people's eyes")
    await sandbox.person(f"Bot {DEAF}").say(lobby, "my own")
    own, others = await sandbox.person(f"Bot {DEAF}").history(lobby)
    assert own["content"] == "my own"
    assert others["content"] == ""
    assert (await sandbox.person(BOT).history(lobby))[1]["content"] == "for people's eyes"


def form(body: dict[str, Any], *files: tuple[str, bytes]) -> aiohttp.FormData:
    data = aiohttp.FormData()
    data.add_field("payload_json", json.dumps(body), content_type="application/json")
    for number, (name, content) in enumerate(files):
        data.add_field(f"files[{number}]", content, filename=name, content_type="text/plain")
    return data


async def test_attachments_come_with_names_and_descriptions_and_go_with_an_edit(
    sandbox: Sandbox, lobby: str
) -> None:
    you = sandbox.person()
    described = {"attachments": [{"id": 0, "description": "a note"}]}
    sent = form(described, ("note.txt", b"hello"), ("other.txt", b"world"))
    said = await you.ask("POST", f"/channels/{lobby}/messages", data=sent)
    note, other = said["attachments"]
    assert (note["filename"], note["size"], note["description"]) == ("note.txt", 5, "a note")
    assert said["content"] == ""
    edit = {"attachments": [{"id": other["id"]}]}
    edited = await you.ask("PATCH", f"/channels/{lobby}/messages/{said['id']}", json=edit)
    assert [a["filename"] for a in edited["attachments"]] == ["other.txt"]
    for attachment, status in ((note, 404), (other, 200)):
        async with sandbox._http.get(attachment["url"]) as response:
            assert response.status == status


async def test_more_than_twenty_five_megabytes_are_refused(sandbox: Sandbox, lobby: str) -> None:
    sent = form(
        {"content": "big"}, ("a.bin", bytes(13 * MEGABYTE)), ("b.bin", bytes(13 * MEGABYTE))
    )
    status, body = await sandbox.person().try_to("POST", f"/channels/{lobby}/messages", data=sent)
    assert (status, body["code"]) == (413, 40005)
    assert await sandbox.person().history(lobby) == []


@pytest.mark.parametrize("emoji", ["%F0%9F%91%80", "%E2%9D%8C"])
async def test_reactions_are_counted_told_apart_and_taken_back(
    sandbox: Sandbox, lobby: str, emoji: str
) -> None:
    you, captain = sandbox.person(), sandbox.person(BOT)
    said = await you.say(lobby, "look")
    path = f"/channels/{lobby}/messages/{said['id']}/reactions/{emoji}"
    for person in (you, captain, captain):
        assert await person.try_to("PUT", f"{path}/@me") == (204, None)
    [reaction] = (await you.history(lobby))[0]["reactions"]
    assert (reaction["count"], reaction["me"]) == (2, True)
    assert [u["username"] for u in await you.ask("GET", path)] == ["captain", "you"]
    status, body = await sandbox.person(GUEST).try_to("DELETE", f"{path}/{CAPTAIN_ID}")
    assert (status, body["code"]) == (403, 50013)
    assert await you.try_to("DELETE", f"{path}/{CAPTAIN_ID}") == (204, None)
    assert await you.try_to("DELETE", f"{path}/@me") == (204, None)
    assert "reactions" not in (await you.history(lobby))[0]


async def test_the_guilds_own_emojis_do_not_exist(sandbox: Sandbox, lobby: str) -> None:
    said = await sandbox.person().say(lobby, "look")
    path = f"/channels/{lobby}/messages/{said['id']}/reactions/party%3A12/@me"
    status, body = await sandbox.person().try_to("PUT", path)
    assert (status, body["code"]) == (400, 10014)


async def test_a_swarm_is_held_back_only_bot_by_bot_and_channel_by_channel() -> None:
    async with serving(build(config(limits={}))) as sandbox:
        lobby = await lobby_of(sandbox)
        captain, rook = sandbox.person(BOT), sandbox.person(f"Bot {ROOK}")
        path = f"/channels/{lobby}/messages"
        for person in (captain, rook):
            for n in range(5):
                await person.say(lobby, str(n))
        status, body, headers = await _post(sandbox, captain, path)
        assert status == 429
        assert body["message"] == "You are being rate limited."
        assert 0 < body["retry_after"] <= 5
        assert body["global"] is False
        assert {"Via", "Retry-After", "X-RateLimit-Bucket", "X-RateLimit-Scope"} <= set(headers)
        assert headers["Content-Type"] == "application/json"


async def _post(sandbox: Sandbox, person: Person, path: str) -> tuple[int, Any, Any]:
    url = f"http://127.0.0.1:{sandbox.port}/api/v10{path}"
    headers = {"Authorization": person.token}
    async with sandbox._http.post(url, json={"content": "x"}, headers=headers) as response:
        return response.status, await response.json(), dict(response.headers)


async def test_discord_py_waits_for_its_bucket_and_sends_all_in_order() -> None:
    limits = {"messages": 3, "messages_per_s": 0.3}
    async with serving(build(config(limits=limits))) as sandbox:
        bot = await sandbox.bot()
        for n in range(8):
            await bot.channel("lobby").send(str(n))
        said = [m async for m in bot.channel("lobby").history(limit=None, oldest_first=True)]
        assert [m.content for m in said] == [str(n) for n in range(8)]
