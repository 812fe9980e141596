"""The guild by REST: channels, permissions, threads, members, commands, oneself."""

from __future__ import annotations

import base64
from typing import Any

import discord
import pytest

from bots.sandbox.server import build
from tests.integration.sandbox.stage import (
    CAPTAIN,
    CAPTAIN_ID,
    DEAF,
    GUEST,
    ROOK,
    ROOK_ID,
    Person,
    Sandbox,
    config,
    serving,
)

BOT = f"Bot {CAPTAIN}"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
VIEW, SEND, HISTORY = 1 << 10, 1 << 11, 1 << 16


async def channel(sandbox: Sandbox, name: str) -> dict[str, Any]:
    found = await sandbox.person().ask("GET", f"/guilds/{sandbox.guild_id}/channels")
    return dict(next(c for c in found if c["name"] == name))


async def code(person: Person, method: str, path: str, **how: Any) -> tuple[int, int]:
    status, body = await person.try_to(method, path, **how)
    return status, body["code"]


async def everyone(sandbox: Sandbox, place: str, **bits: int) -> None:
    """What @everyone may and may not in a channel from now on."""
    body = {"type": 0, **{k: str(v) for k, v in bits.items()}}
    path = f"/channels/{place}/permissions/{sandbox.guild_id}"
    await sandbox.person().ask("PUT", path, json=body)


async def test_ids_of_the_guild_are_the_same_after_a_restart(sandbox: Sandbox) -> None:
    path = f"/guilds/{sandbox.guild_id}/channels"
    channels = await sandbox.person().ask("GET", path)
    assert {c["name"]: c["type"] for c in channels} == {
        "command": 4,
        "lobby": 0,
        "operations": 4,
        "task-board": 0,
    }
    async with serving(build(config())) as restarted:
        assert await restarted.person().ask("GET", path) == channels


async def test_a_layout_is_made_by_the_captain_with_discord_py(sandbox: Sandbox) -> None:
    bot = await sandbox.bot()
    [guild] = bot.guilds
    category = await guild.create_category("Research")
    made = await guild.create_text_channel("Lab Notes", category=category, topic="What we found")
    assert (made.name, made.topic, made.category) == ("lab-notes", "What we found", category)
    await made.edit(topic="More")
    assert (await channel(sandbox, "lab-notes"))["topic"] == "More"
    await made.delete()
    with pytest.raises(discord.NotFound) as gone:
        await made.send("anybody?")
    assert gone.value.code == 10003


async def test_a_guest_makes_no_channels(sandbox: Sandbox) -> None:
    path = f"/guilds/{sandbox.guild_id}/channels"
    assert await code(sandbox.person(GUEST), "POST", path, json={"name": "x"}) == (403, 50013)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x" * 101},
        {"name": "x", "type": 2},
        {"name": "x", "parent_id": "5"},
        {"name": "x", "topic": "x" * 1_025},
        {"name": "x", "permission_overwrites": [{"id": "z", "type": 5}]},
    ],
)
async def test_a_wrong_channel_is_refused_and_not_made(
    sandbox: Sandbox, body: dict[str, Any]
) -> None:
    path = f"/guilds/{sandbox.guild_id}/channels"
    before = await sandbox.person().ask("GET", path)
    assert await code(sandbox.person(), "POST", path, json=body) == (400, 50035)
    assert await sandbox.person().ask("GET", path) == before


async def test_a_half_wrong_change_changes_nothing(sandbox: Sandbox) -> None:
    lobby = await channel(sandbox, "lobby")
    body = {"topic": "new", "name": "x" * 101}
    assert await code(sandbox.person(), "PATCH", f"/channels/{lobby['id']}", json=body) == (
        400,
        50035,
    )
    assert await channel(sandbox, "lobby") == lobby


async def test_who_does_not_see_a_channel_gets_missing_access(sandbox: Sandbox) -> None:
    lobby = str((await channel(sandbox, "lobby"))["id"])
    await everyone(sandbox, lobby, deny=VIEW)
    guest, captain, you = sandbox.person(GUEST), sandbox.person(BOT), sandbox.person()
    for person in (guest, captain):
        for method, path in (
            ("GET", f"/channels/{lobby}"),
            ("GET", f"/channels/{lobby}/messages"),
            ("POST", f"/channels/{lobby}/typing"),
        ):
            assert await code(person, method, path) == (403, 50001)
        path = f"/channels/{lobby}/messages"
        assert await code(person, "POST", path, json={"content": "x"}) == (403, 50001)
    assert await you.say(lobby, "operators see all")
    names = [c["name"] for c in await guest.ask("GET", f"/guilds/{sandbox.guild_id}/channels")]
    assert "lobby" not in names
    # bots are told of channels that they cannot enter, so that a doctor can name them
    names = [c["name"] for c in await captain.ask("GET", f"/guilds/{sandbox.guild_id}/channels")]
    assert "lobby" in names


async def test_who_sees_but_may_not_send_gets_missing_permissions(sandbox: Sandbox) -> None:
    lobby = str((await channel(sandbox, "lobby"))["id"])
    await everyone(sandbox, lobby, deny=SEND)
    path = f"/channels/{lobby}/messages"
    for token in (GUEST, BOT):
        refused = await code(sandbox.person(token), "POST", path, json={"content": "x"})
        assert refused == (403, 50013)
    await everyone(sandbox, lobby, deny=HISTORY)
    assert await sandbox.person(GUEST).history(lobby) == []


async def test_nobody_grants_what_it_does_not_hold(sandbox: Sandbox) -> None:
    body = {
        "name": "grab",
        "permission_overwrites": [{"id": str(CAPTAIN_ID), "type": 1, "allow": str(1 << 13)}],
    }
    path = f"/guilds/{sandbox.guild_id}/channels"
    assert await code(sandbox.person(BOT), "POST", path, json=body) == (403, 50013)


async def test_people_hear_of_a_channel_when_it_opens_to_them(sandbox: Sandbox) -> None:
    lobby = str((await channel(sandbox, "lobby"))["id"])
    await everyone(sandbox, lobby, deny=VIEW)
    guest = await sandbox.listening(GUEST)
    path = f"/channels/{lobby}/permissions/{sandbox.guild_id}"
    await sandbox.person().ask("DELETE", path)
    assert (await guest.until("CHANNEL_CREATE"))["id"] == lobby
    await everyone(sandbox, lobby, deny=VIEW)
    assert (await guest.until("CHANNEL_DELETE"))["id"] == lobby


async def test_a_private_thread_is_for_its_members(sandbox: Sandbox) -> None:
    lobby = str((await channel(sandbox, "lobby"))["id"])
    captain, guest = sandbox.person(BOT), sandbox.person(GUEST)
    body = {"name": "secret plan", "type": 12}
    thread = await sandbox.person(f"Bot {DEAF}").ask(
        "POST", f"/channels/{lobby}/threads", json=body
    )
    path = f"/channels/{thread['id']}"
    assert await code(guest, "GET", path) == (403, 50001)
    users = await guest.ask("GET", "/users/@me")
    await captain.ask("PUT", f"{path}/thread-members/{users['id']}")
    assert (await guest.ask("GET", path))["name"] == "secret plan"
    assert await guest.say(thread["id"], "here I am")


async def test_a_sleeping_thread_wakes_when_somebody_speaks_and_a_locked_one_does_not(
    sandbox: Sandbox,
) -> None:
    lobby = str((await channel(sandbox, "lobby"))["id"])
    you, guest = sandbox.person(), sandbox.person(GUEST)
    said = await guest.say(lobby, "a question")
    path = f"/channels/{lobby}/messages/{said['id']}/threads"
    thread = await guest.ask("POST", path, json={"name": "q", "auto_archive_duration": 60})
    assert thread["id"] == said["id"]
    assert await code(guest, "POST", path, json={"name": "again"}) == (400, 160004)
    place = f"/channels/{thread['id']}"
    await guest.ask("PATCH", place, json={"archived": True})
    active = await you.ask("GET", f"/guilds/{sandbox.guild_id}/threads/active")
    assert active["threads"] == []
    sleeping = await you.ask("GET", f"/channels/{lobby}/threads/archived/public")
    assert [t["id"] for t in sleeping["threads"]] == [thread["id"]]
    await guest.say(thread["id"], "up!")
    assert (await you.ask("GET", place))["thread_metadata"]["archived"] is False
    assert await code(guest, "PATCH", place, json={"locked": True}) == (403, 50013)
    await you.ask("PATCH", place, json={"locked": True})
    path = f"{place}/messages"
    assert await code(guest, "POST", path, json={"content": "x"}) == (403, 160005)


async def test_members_and_their_roles(sandbox: Sandbox) -> None:
    you, guest = sandbox.person(), sandbox.person(GUEST)
    path = f"/guilds/{sandbox.guild_id}/members"
    members = await you.ask("GET", f"{path}?limit=1000")
    assert {m["user"]["username"] for m in members} == {"captain", "rook", "deaf", "you", "guest"}
    roles = {r["name"]: r["id"] for r in await you.ask("GET", f"/guilds/{sandbox.guild_id}/roles")}
    assert set(roles) == {"@everyone", "agents", "operators"}
    captain = await you.ask("GET", f"{path}/{CAPTAIN_ID}")
    assert captain["roles"] == [roles["agents"]]
    [found] = await you.ask("GET", f"{path}/search?query=GUE")
    assert found["user"]["username"] == "guest"
    place = f"{path}/{found['user']['id']}/roles/{roles['operators']}"
    assert await code(guest, "PUT", place) == (403, 50013)
    await you.ask("PUT", place)
    assert (await guest.ask("GET", f"{path}/@me"))["roles"] == [roles["operators"]]
    assert await code(sandbox.person(f"Bot {DEAF}"), "GET", path) == (403, 50001)


async def test_an_avatar_is_set_once_and_served(sandbox: Sandbox) -> None:
    bot = await sandbox.bot()
    assert bot.user
    await bot.user.edit(avatar=PIXEL)
    shown = await sandbox.person().ask("GET", f"/users/{CAPTAIN_ID}")
    url = f"http://127.0.0.1:{sandbox.port}/avatars/{CAPTAIN_ID}/{shown['avatar']}.png"
    async with sandbox._http.get(url) as response:
        assert await response.read() == PIXEL
    body = {"avatar": "data:image/png;base64,bm90IGEgcGljdHVyZQ=="}
    assert await code(sandbox.person(BOT), "PATCH", "/users/@me", json=body) == (400, 50035)


async def test_a_name_that_is_somebodys_is_refused(sandbox: Sandbox) -> None:
    body = {"username": "Rook"}
    assert await code(sandbox.person(BOT), "PATCH", "/users/@me", json=body) == (400, 50035)


async def test_an_application_says_which_intents_it_may_use(sandbox: Sandbox) -> None:
    flags = (await sandbox.person(BOT).ask("GET", "/oauth2/applications/@me"))["flags"]
    assert flags & 1 << 19
    deaf = await sandbox.person(f"Bot {DEAF}").ask("GET", "/applications/@me")
    assert not deaf["flags"] & 1 << 19
    assert await code(sandbox.person(), "GET", "/oauth2/applications/@me") == (403, 20002)


async def test_session_starts_are_counted(sandbox: Sandbox) -> None:
    captain = sandbox.person(BOT)
    before = await captain.ask("GET", "/gateway/bot")
    assert before["url"] == f"ws://127.0.0.1:{sandbox.port}/gateway"
    await sandbox.bot()
    after = await captain.ask("GET", "/gateway/bot")
    left = [answer["session_start_limit"]["remaining"] for answer in (before, after)]
    assert left == [1_000, 999]


async def test_commands_keep_their_ids_while_they_stay_the_same(sandbox: Sandbox) -> None:
    captain = sandbox.person(BOT)
    path = f"/applications/{CAPTAIN_ID}/guilds/{sandbox.guild_id}/commands"
    ask, stop = ({"name": n, "description": "d"} for n in ("ask", "stop"))
    first = await captain.ask("PUT", path, json=[ask, stop])
    again = await captain.ask("PUT", path, json=[stop | {"description": "new"}, ask])
    by_name = {c["name"]: c for c in first}
    assert again[1] == by_name["ask"]
    assert again[0]["id"] == by_name["stop"]["id"]
    assert again[0]["version"] != by_name["stop"]["version"]
    assert await captain.ask("PUT", path, json=[]) == []
    assert await captain.ask("GET", path) == []


async def test_one_command_is_added_changed_and_removed(sandbox: Sandbox) -> None:
    captain, rook = sandbox.person(BOT), sandbox.person(f"Bot {ROOK}")
    path = f"/applications/{CAPTAIN_ID}/commands"
    status, made = await captain.try_to("POST", path, json={"name": "a", "description": "d"})
    assert status == 201
    status, same = await captain.try_to("POST", path, json={"name": "a", "description": "e"})
    assert (status, same["id"]) == (200, made["id"])
    place = f"{path}/{made['id']}"
    assert (await captain.ask("PATCH", place, json={"name": "b"}))["description"] == "e"
    assert await code(rook, "GET", place) == (403, 20012)
    assert await captain.try_to("DELETE", place) == (204, None)
    assert await code(captain, "GET", place) == (404, 10063)


async def test_a_wrong_list_of_commands_changes_nothing(sandbox: Sandbox) -> None:
    captain = sandbox.person(BOT)
    path = f"/applications/{CAPTAIN_ID}/commands"
    await captain.ask("PUT", path, json=[{"name": "a", "description": "d"}])
    wrong = [{"name": "b", "description": "d"}, {"name": "B", "description": ""}]
    status, body = await captain.try_to("PUT", path, json=wrong)
    assert (status, body["code"]) == (400, 50035)
    assert set(body["errors"]) == {"1"}
    twice = [{"name": "b", "description": "d"}] * 2
    assert (await captain.try_to("PUT", path, json=twice))[0] == 400
    assert [c["name"] for c in await captain.ask("GET", path)] == ["a"]
    many = [{"name": f"c{n}", "description": "d"} for n in range(101)]
    assert await code(captain, "PUT", path, json=many) == (400, 30032)


async def test_people_see_all_commands_that_they_may_use(sandbox: Sandbox) -> None:
    for token, bot_id in ((CAPTAIN, CAPTAIN_ID), (ROOK, ROOK_ID)):
        path = f"/applications/{bot_id}/commands"
        rows = [
            {"name": "hello", "description": "d"},
            {"name": "kill", "description": "d", "default_member_permissions": "0"},
        ]
        await sandbox.person(f"Bot {token}").ask("PUT", path, json=rows)
    path = f"/guilds/{sandbox.guild_id}/application-command-index"
    yours = await sandbox.person().ask("GET", path)
    assert {a["name"] for a in yours["applications"]} == {"captain", "rook"}
    assert sorted(c["name"] for c in yours["application_commands"]) == ["hello"] * 2 + ["kill"] * 2
    guests = await sandbox.person(GUEST).ask("GET", path)
    assert [c["name"] for c in guests["application_commands"]] == ["hello"] * 2
    assert await code(sandbox.person(BOT), "GET", path) == (403, 20001)


async def test_a_direct_message_is_between_a_person_and_a_bot_or_another_person(
    sandbox: Sandbox,
) -> None:
    you, rook = sandbox.person(), sandbox.person(f"Bot {ROOK}")
    opened = await you.ask("POST", "/users/@me/channels", json={"recipients": [str(ROOK_ID)]})
    again = await rook.ask(
        "POST",
        "/users/@me/channels",
        json={"recipient_id": (await you.ask("GET", "/users/@me"))["id"]},
    )
    assert opened["id"] == again["id"]
    assert [u["username"] for u in opened["recipients"]] == ["rook"]
    assert [u["username"] for u in again["recipients"]] == ["you"]
    path = f"/channels/{opened['id']}/messages"
    assert await code(sandbox.person(GUEST), "GET", path) == (403, 50001)
    body = {"recipient_id": str(CAPTAIN_ID)}
    assert await code(rook, "POST", "/users/@me/channels", json=body) == (403, 50007)
    body = {"recipient_id": "12"}
    assert await code(rook, "POST", "/users/@me/channels", json=body) == (400, 50033)
