"""A person chats in the page with real bots, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import discord
from playwright.async_api import Page, expect

from tests.integration.console.conftest import Open
from tests.integration.console.stage import Scene, console_config, end, start


async def go(page: Page, name: str) -> None:
    await page.click(f"#channels .channel:has-text('{name}')")
    await expect(page.locator("#head h1")).to_have_text(name)


async def say(page: Page, text: str) -> None:
    await page.fill("#text", text)
    await page.press("#text", "Enter")


async def test_a_person_and_an_agent_talk(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    assert "token" not in page.url
    await expect(page.locator("#head h1")).to_have_text("lobby")
    await expect(page.locator("#nothing")).to_be_visible()
    await expect(page.locator(".state")).to_contain_text("2 of 2 ready")
    await say(page, "@captain hello **there** <b>x</b>")
    answer = page.locator(".message", has_text="you said: hello there <b>x</b>")
    await expect(answer).to_be_visible()
    await expect(answer.locator(".tag")).to_have_text("BOT")
    await expect(answer.locator(".quote")).to_contain_text("@captain hello there")
    own = page.locator(".message[data-mine]")
    await expect(own.locator(".mention")).to_have_text("@captain")
    await expect(own.locator("strong")).to_have_text("there")
    assert await page.locator(".text b").count() == 0
    await expect(page.locator("#live")).to_contain_text("captain: you said")
    await expect(page.locator("#text")).to_have_value("")


async def test_edits_deletions_and_reactions_are_live(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    await say(page, "@captain edit")
    edited = page.locator(".message", has_text="second thought")
    await expect(edited.locator(".edited")).to_have_text("(edited)")
    # one's own: Up edits the last message, Escape lets it be
    await page.press("#text", "ArrowUp")
    await expect(page.locator("#text")).to_have_value("@captain edit")
    await page.press("#text", "Escape")
    await expect(page.locator("#text")).to_have_value("")
    await page.press("#text", "ArrowUp")
    await say(page, "changed my mind")
    own = page.locator(".message[data-mine]")
    await expect(own).to_contain_text("changed my mind(edited)")
    # a reaction by keyboard, seen by the bot; then off again by a click
    await own.focus()
    await page.keyboard.press("e")
    pill = own.locator(".reaction.mine")
    await expect(pill).to_have_text("1")
    channel = stage.channel("lobby")
    seen = await channel.fetch_message(int(await own.get_attribute("data-id") or 0))
    assert [str(r.emoji) for r in seen.reactions] == ["👀"]
    await seen.add_reaction("👀")
    await expect(pill).to_have_text("2")
    await pill.click()
    await expect(own.locator(".reaction:not(.mine)")).to_have_text("1")
    # the picker offers more
    await own.hover()
    await own.locator("[data-tool=react]").click()
    await page.click("#pop [aria-label=check]")
    await expect(own.locator(".reaction.mine")).to_have_attribute("data-react", "✅")
    # away with it
    await own.hover()
    await own.locator("[data-tool=delete]").click()
    await page.click("#dialog .danger")
    await expect(own).to_have_count(0)


async def test_who_will_hear_it_is_said_before_it_is_sent(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    hint = page.locator("#hint")
    await page.fill("#text", "hello")
    await expect(hint).to_have_text("reaches 2 agents")
    await stage.bots["secretary"].change_presence(status=discord.Status.dnd)
    await expect(hint).to_have_text("reaches captain")
    await page.fill("#text", "/whoami")
    await expect(hint).to_be_empty()
    await page.fill("#text", "x" * 1900)
    await expect(hint).to_have_text("100 left")
    await page.fill("#text", "")
    await page.click(".member[data-name=secretary]")
    await expect(page.locator("#head h1")).to_have_text("secretary")
    await page.fill("#text", "hello")
    await expect(hint).to_have_text("reaches no agent")


async def test_typing_unread_and_the_line_above_what_is_new(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    await say(page, "@captain type")
    await expect(page.locator("#typing")).to_contain_text("captain is writing")
    await expect(page.locator("#stop-reply")).to_be_visible()
    await page.keyboard.press("Control+.")
    await expect(page.locator(".message.private")).to_contain_text(
        "Nothing of captain is being made."
    )
    channel = stage.channel("reports")
    await channel.send("before anybody looked")
    entry = page.locator("#channels .channel", has_text="reports")
    await expect(entry).to_have_class(re.compile("unread"))
    you = next(m for m in channel.guild.members if m.name == "you")
    await channel.send(f"{you.mention} look")
    await expect(entry.locator(".count")).to_have_text("1")
    await expect(page).to_have_title(re.compile(r"^\(1\) lobby"))
    await go(page, "reports")
    await expect(entry).not_to_have_class(re.compile("unread"))
    await expect(page.locator(".message.me")).to_contain_text("@you look")
    await go(page, "lobby")
    await channel.send("later")
    await expect(entry).to_have_class(re.compile("unread"))
    await page.keyboard.press("Alt+Shift+ArrowDown")
    await expect(page.locator("#head h1")).to_have_text("reports")
    await expect(page.locator(".new-line")).to_be_visible()
    # what follows the line is what came while nobody looked
    after = page.locator(".new-line ~ .message")
    await expect(after).to_have_count(1)
    await page.go_back()
    await expect(page.locator("#head h1")).to_have_text("lobby")


async def test_a_thread_is_opened_and_answered(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    await say(page, "let us plan this")
    own = page.locator(".message[data-mine]")
    await own.focus()
    await page.keyboard.press("t")
    await expect(page.locator("#head h1")).to_have_text("let us plan this")
    await say(page, "@captain in the thread")
    await expect(page.locator(".message", has_text="you said: in the thread")).to_be_visible()
    await page.click("#head .back")
    await expect(page.locator(".thread-link")).to_contain_text("2 replies")
    await expect(page.locator(".thread-link")).to_contain_text("last one from captain")
    await expect(page.locator("#channels .under")).to_contain_text("let us plan this")


async def test_a_direct_message_to_an_agent(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    await page.click(".member[data-name=secretary]")
    await expect(page.locator("#head h1")).to_have_text("secretary")
    await say(page, "just between us")
    await expect(page.locator(".message", has_text="you said: just between us")).to_be_visible()
    await expect(page.locator("#channels")).to_contain_text("Direct messages")


async def test_in_private_nothing_is_offered_that_works_in_channels_only(
    stage: Scene, open_page: Open
) -> None:
    page = await open_page()
    text = page.locator("#text")
    await expect(text).to_have_attribute("placeholder", "Write to lobby, or type / for commands")
    await page.click(".member[data-name=captain]")
    await expect(text).to_have_attribute("placeholder", "Write to captain")
    await expect(page.locator("#nothing")).to_have_text("Nothing here yet.")
    await page.locator("#main").focus()
    await page.keyboard.press("/")
    await expect(text).to_have_value("")
    await say(page, "/whoami")
    await expect(page.locator("#trouble")).to_contain_text("Commands work in channels only")
    await say(page, "type")
    await expect(page.locator("#typing")).to_contain_text("captain is writing")
    await page.click("#stop-reply")
    await expect(page.locator(".message", has_text="you said: stop")).to_be_visible()


async def test_files_go_up_and_come_down(stage: Scene, open_page: Open, tmp_path: Path) -> None:
    page = await open_page()
    picture = tmp_path / "dot.png"
    await page.screenshot(path=picture, clip={"x": 0, "y": 0, "width": 20, "height": 20})
    note = tmp_path / "note.html"
    note.write_text("<script>alert(1)</script>")
    await page.set_input_files("#file", [picture, note])
    await expect(page.locator(".chip")).to_have_count(2)
    await say(page, "two files")
    shown = page.locator(".picture img")
    await expect(shown).to_be_visible()
    await expect(shown).to_have_js_property("naturalWidth", 20)
    link = page.locator("a.file")
    await expect(link).to_contain_text("note.html")
    got = await page.request.get(stage.url + str(await link.get_attribute("href")))
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith("attachment")
    assert await got.text() == note.read_text()


async def test_history_comes_when_one_scrolls_up(stage: Scene, open_page: Open) -> None:
    channel = stage.channel("task-board")
    for number in range(120):
        await channel.send(f"entry number {number}.")
    page = await open_page()
    await go(page, "task-board")
    await expect(page.locator(".message", has_text="number 119.")).to_be_in_viewport()
    await expect(page.locator(".message")).to_have_count(100)
    await page.evaluate("document.querySelector('#stream').scrollTop = 0")
    await expect(page.locator(".message")).to_have_count(120)
    numbers = await page.locator(".message .text").all_inner_texts()
    assert numbers == [f"entry number {n}." for n in range(120)]
    assert await page.locator(".day").count() == 1


async def test_what_could_not_be_sent_is_kept_and_sent_once(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    await page.route("**/act/say", lambda route: route.abort())
    await say(page, "precious words")
    await expect(page.locator("#trouble")).to_contain_text("Not sent")
    await expect(page.locator("#text")).to_have_value("precious words")
    await page.unroute("**/act/say")
    await page.click("#trouble button")
    await expect(page.locator(".message[data-mine]", has_text="precious words")).to_have_count(1)
    await expect(page.locator("#trouble")).to_be_hidden()
    # a draft waits in its channel
    await page.fill("#text", "half a thought")
    await go(page, "reports")
    await expect(page.locator("#text")).to_have_value("")
    await go(page, "lobby")
    await expect(page.locator("#text")).to_have_value("half a thought")


async def test_presence_has_a_shape_and_a_word(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    secretary = stage.bots["secretary"]
    await secretary.change_presence(
        status=discord.Status.idle, activity=discord.CustomActivity("its model is away")
    )
    await expect(page.locator("#members h3.degraded")).to_contain_text("Degraded 1")
    row = page.locator(".member[data-name=secretary]")
    await expect(row.locator(".shape.degraded")).to_be_visible()
    await secretary.change_presence(status=discord.Status.dnd)
    await expect(page.locator("#members h3.killed")).to_contain_text("Killed 1")


async def test_history_that_the_page_never_heard_is_fetched(
    stage: Scene, open_page: Open, tmp_path: Path
) -> None:
    channel = stage.channel("agent-logs")
    for number in range(130):
        await channel.send(f"log {number}.")
    # a page's process that begins now knows nothing of all that
    port = int(stage.url.rpartition(":")[2])
    await end(stage.console)
    config = console_config(stage.sandbox_port, str(stage.guild_id), stage.door.port)
    stage.console, _ = await start("bots.console", config | {"port": port}, tmp_path / "new.json")
    page = await open_page()
    await go(page, "agent-logs")
    for shown in (50, 100):
        await expect(page.locator(".message")).to_have_count(shown)
        await page.evaluate("document.querySelector('#stream').scrollTop = 0")
    await expect(page.locator(".message")).to_have_count(130)
    await expect(page.locator("#older")).to_contain_text("This is the beginning")
    await end(stage.console)
