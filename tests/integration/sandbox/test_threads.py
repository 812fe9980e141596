"""Threads that fall asleep by themselves, and what goes with a thread when it is deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bots.sandbox.server import build
from tests.integration.sandbox.stage import GUEST, Sandbox, config, serving


class Day:
    """The server's time: it stands still until the test lets some of it pass."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self._waiting: list[tuple[datetime, Callable[[], None]]] = []

    def __call__(self) -> datetime:
        return self.now

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        self._waiting.append((self.now + timedelta(seconds=delay_s), action))

    def passes(self, minutes: float, *, unnoticed: bool = False) -> None:
        """Let time pass; `unnoticed`: what was to happen meanwhile is still to happen."""
        end = self.now + timedelta(minutes=minutes)
        while not unnoticed and (due := [w for w in self._waiting if w[0] <= end]):
            first = min(due, key=lambda w: w[0])
            self._waiting.remove(first)
            self.now = first[0]
            first[1]()
        self.now = end


@pytest.fixture
def day() -> Day:
    return Day()


@pytest.fixture
async def sandbox(day: Day) -> AsyncIterator[Sandbox]:
    async with serving(build(config(), clock=day, schedule=day.later)) as running:
        yield running


@pytest.fixture
async def lobby(sandbox: Sandbox) -> str:
    channels = await sandbox.person().ask("GET", f"/guilds/{sandbox.guild_id}/channels")
    return str(next(c["id"] for c in channels if c["name"] == "lobby"))


async def opened(sandbox: Sandbox, parent: str, name: str, minutes: int = 60) -> str:
    body = {"name": name, "type": 11, "auto_archive_duration": minutes}
    made = await sandbox.person().ask("POST", f"/channels/{parent}/threads", json=body)
    return str(made["id"])


async def archived(sandbox: Sandbox, parent: str) -> list[str]:
    found = await sandbox.person().ask("GET", f"/channels/{parent}/threads/archived/public")
    return [t["name"] for t in found["threads"]]


async def active(sandbox: Sandbox) -> list[str]:
    found = await sandbox.person().ask("GET", f"/guilds/{sandbox.guild_id}/threads/active")
    return [t["name"] for t in found["threads"]]


async def metadata(sandbox: Sandbox, thread: str) -> dict[str, Any]:
    return dict((await sandbox.person().ask("GET", f"/channels/{thread}"))["thread_metadata"])


async def test_threads_sleep_in_the_order_in_which_they_fell_silent(
    sandbox: Sandbox, lobby: str, day: Day
) -> None:
    watcher = await sandbox.listening(GUEST)
    first = await opened(sandbox, lobby, "talked in again")
    await opened(sandbox, lobby, "silent")
    await opened(sandbox, lobby, "for a day", 1440)
    day.passes(30)
    await sandbox.person().say(first, "still here")
    day.passes(31)
    told = await watcher.until("THREAD_UPDATE")
    assert (told["name"], told["thread_metadata"]["archived"]) == ("silent", True)
    assert told["thread_metadata"]["archive_timestamp"] == "2026-01-01T01:00:00.000000+00:00"
    assert await active(sandbox) == ["talked in again", "for a day"]
    day.passes(29)
    assert (await watcher.until("THREAD_UPDATE"))["name"] == "talked in again"
    # the last one to fall asleep comes first
    assert await archived(sandbox, lobby) == ["talked in again", "silent"]
    assert await active(sandbox) == ["for a day"]


@pytest.mark.parametrize("how", ["active", "archived", "one", "guild"])
async def test_nobody_is_shown_a_silent_thread_as_awake(
    sandbox: Sandbox, lobby: str, day: Day, how: str
) -> None:
    thread = await opened(sandbox, lobby, "silent")
    day.passes(60, unnoticed=True)
    match how:
        case "active":
            assert await active(sandbox) == []
        case "archived":
            assert await archived(sandbox, lobby) == ["silent"]
        case "one":
            assert (await metadata(sandbox, thread))["archived"] is True
        case _:
            assert (await sandbox.listening()).guild["threads"] == []


async def test_a_message_wakes_a_thread_for_as_long_as_it_was_given(
    sandbox: Sandbox, lobby: str, day: Day
) -> None:
    thread = await opened(sandbox, lobby, "q")
    day.passes(61)
    assert await archived(sandbox, lobby) == ["q"]
    watcher = await sandbox.listening()
    await sandbox.person(GUEST).say(thread, "up!")
    assert (await watcher.until("THREAD_UPDATE"))["thread_metadata"]["archived"] is False
    day.passes(59)
    assert await active(sandbox) == ["q"]
    day.passes(2)
    assert await active(sandbox) == []


async def test_waking_a_thread_and_changing_its_time_are_activity_too(
    sandbox: Sandbox, lobby: str, day: Day
) -> None:
    thread = await opened(sandbox, lobby, "q")
    day.passes(61)
    you, place = sandbox.person(), f"/channels/{thread}"
    await you.ask("PATCH", place, json={"archived": False})
    day.passes(50)
    await you.ask("PATCH", place, json={"auto_archive_duration": 1440})
    day.passes(1439)
    assert await active(sandbox) == ["q"]
    day.passes(2)
    assert await active(sandbox) == []


async def test_no_message_wakes_a_locked_thread(sandbox: Sandbox, lobby: str) -> None:
    thread, you = await opened(sandbox, lobby, "closed"), sandbox.person()
    await you.ask("PATCH", f"/channels/{thread}", json={"archived": True, "locked": True})
    await you.say(thread, "a moderator's last word")
    assert await active(sandbox) == []


async def test_a_thread_keeps_the_time_of_its_opening(
    sandbox: Sandbox, lobby: str, day: Day
) -> None:
    said = await sandbox.person().say(lobby, "an old question")
    day.passes(5)
    path = f"/channels/{lobby}/messages/{said['id']}/threads"
    await sandbox.person().ask("POST", path, json={"name": "q", "auto_archive_duration": 60})
    day.passes(61)
    told = await metadata(sandbox, said["id"])
    assert told["create_timestamp"] == "2026-01-01T00:05:00.000000+00:00"
    assert told["archive_timestamp"] == "2026-01-01T01:05:00.000000+00:00"


@pytest.mark.parametrize("deleted", ["message", "thread", "channel"])
async def test_files_go_with_their_message_thread_or_channel(
    sandbox: Sandbox, lobby: str, deleted: str
) -> None:
    you, thread = sandbox.person(), await opened(sandbox, lobby, "files")
    form = aiohttp.FormData()
    form.add_field("files[0]", b"hello", filename="note.txt", content_type="text/plain")
    said = await you.ask("POST", f"/channels/{thread}/messages", data=form)
    [attachment] = said["attachments"]
    async with sandbox._http.get(attachment["url"]) as response:
        assert await response.text() == "hello"
    gone = {
        "message": f"/channels/{thread}/messages/{said['id']}",
        "thread": f"/channels/{thread}",
        "channel": f"/channels/{lobby}",
    }
    await you.ask("DELETE", gone[deleted])
    async with sandbox._http.get(attachment["url"]) as response:
        assert response.status == 404
