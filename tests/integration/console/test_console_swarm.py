"""The red button, the way back, and what the page shows when it does not know."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import expect

from tests.integration.console.bots import Desk, approval
from tests.integration.console.conftest import Open
from tests.integration.console.stage import Scene, end, sandbox_config, start


async def test_an_operator_kills_and_resumes(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    stage.door.slow = {"secretary"}
    await page.click("#kill")
    await page.click("#kill-now")
    # never "stopped" before all have confirmed
    await expect(page.locator(".state")).to_contain_text("1 of 2 confirmed")
    await expect(page.locator(".panel h2")).to_have_text("1 of 2 confirmed")
    missing = page.locator(".panel .missing").first
    await expect(missing).to_have_text(
        re.compile(r"^secretary has not confirmed after \d+ sForce stop$")
    )
    stage.door.let_go.set()
    await expect(page.locator(".state")).to_contain_text("STOPPED")
    await expect(page.locator(".panel h2")).to_have_text("The swarm is stopped")
    await expect(page.locator(".panel header")).to_contain_text("Killed by you")
    await expect(page.locator(".slowest")).to_contain_text("48 ms")
    await expect(page.locator(".member[data-name=captain] .mono")).to_have_text("31 ms")
    await expect(page.locator("#text")).to_have_attribute(
        "placeholder", "Stopped: agents answer /status and /resume only"
    )
    resume = page.locator("#resume button")
    await page.fill("#resume-reason", "all clear")
    await expect(resume).to_be_disabled()
    await page.fill("#resume-name", "parley")
    await resume.click()
    await expect(page.locator(".state")).to_contain_text("Running")
    await expect(page.locator(".panel")).to_have_count(0)
    assert [(o["verb"], o["by"], o["door"]) for o in stage.door.orders] == [
        ("kill", "you", "console"),
        ("resume", "you", "console"),
    ]
    assert stage.door.orders[1]["reason"] == "all clear"


async def test_who_does_not_confirm_is_not_waited_for(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    guest = await open_page(user="guest1")
    for who in ("captain", "nobody"):
        answer = await page.request.post(f"{stage.url}/act/force", data={"agent": who})
        assert "was not told to stop" in (await answer.json())["error"]
    stage.door.slow = {"secretary"}
    await page.keyboard.press("Control+Shift+K")
    await expect(guest.locator(".panel .missing")).to_contain_text("secretary has not confirmed")
    await expect(guest.locator("[data-force]")).to_have_count(0)
    answer = await guest.request.post(f"{stage.url}/act/force", data={"agent": "secretary"})
    assert "Only an operator" in (await answer.json())["error"]
    await page.click("[data-force=secretary]")
    await expect(page.locator(".state")).to_contain_text("STOPPED")
    assert [(o["scope"], o["force"]) for o in stage.door.orders] == [
        ("all", False),
        ("secretary", True),
    ]


async def test_one_agent_that_was_killed_alone_is_resumed_alone(
    stage: Scene, open_page: Open
) -> None:
    page = await open_page()
    guest = await open_page(user="guest1")
    alone = {"scope": "secretary", "by": "mara", "door": "irc", "reason": "loops", "at": ""}
    stage.door.killed = [alone]
    stage.door.agents["secretary"] = "killed"
    row = page.locator(".row", has=page.locator("[data-name=secretary]"))
    await expect(row).to_contain_text("by mara")
    await expect(guest.locator("[data-name=secretary]")).to_contain_text("by mara")
    await expect(guest.locator("[data-resume]")).to_have_count(0)
    await expect(page.locator("[data-resume]")).to_have_count(1)
    await row.locator("[data-resume]").click()
    resume = page.locator("#dialog button")
    await page.fill("#one-reason", "it is mended")
    await expect(resume).to_be_disabled()
    await page.fill("#one-swarm", "parley")
    await resume.click()
    await expect(page.locator("#dialog")).not_to_be_visible()
    await expect(page.locator("[data-resume]")).to_have_count(0)
    [order] = stage.door.orders
    assert (order["scope"], order["reason"]) == ("secretary", "it is mended")


async def test_what_is_away_is_said_beside_the_state(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    worry = page.locator(".worry")
    await expect(page.locator(".state")).to_contain_text("Running")
    await expect(worry).to_have_count(0)
    stage.door.services["irc"] = False
    stage.door.agents["captain"] = "degraded"
    stage.door.reasons["captain"] = "not connected to IRC"
    await expect(worry).to_have_text("irc is down; 1 agent: not connected to IRC")
    await expect(worry).to_have_attribute("title", "captain: not connected to IRC")
    stage.door.services["irc"] = True
    stage.door.agents["captain"] = "ready"
    await expect(worry).to_have_count(0)


async def test_what_agents_say_after_a_kill_is_counted(stage: Scene, open_page: Open) -> None:
    await stage.channel("lobby").send(embed=approval(), view=Desk())
    page = await open_page()
    await page.keyboard.press("Control+Shift+K")
    await expect(page.locator(".since")).to_have_text(
        "0 messages of agents since, where you can read"
    )
    await expect(page.locator("#resume")).to_contain_text("1 approval waits for you.")
    await stage.channel("reports").send("and yet I speak")
    await expect(page.locator(".since b")).to_have_text("1")


async def test_the_shortcut_and_holding_act_at_once(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    await page.keyboard.press("Control+Shift+K")
    await expect(page.locator(".state")).to_contain_text("STOPPED")
    await page.fill("#resume-reason", "again")
    await page.fill("#resume-name", "parley")
    await page.click("#resume button")
    await expect(page.locator("#kill")).to_be_visible()
    box = await page.locator("#kill").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + 20, box["y"] + 10)
    await page.mouse.down()
    await expect(page.locator(".state")).to_contain_text("STOPPED")
    await page.mouse.up()


async def test_an_ordinary_user_cannot_kill_whatever_the_page_sends(
    stage: Scene, open_page: Open
) -> None:
    page = await open_page(user="guest1")
    await expect(page.locator("#kill")).to_be_disabled()
    await expect(page.locator("#kill")).to_contain_text("operators only")
    await page.keyboard.press("Control+Shift+K")
    for name, body in (("kill", {}), ("resume", {"reason": "x", "swarm": "parley"})):
        answer = await page.request.post(f"{stage.url}/act/{name}", data=body)
        assert answer.status == 409
        assert "Only an operator" in (await answer.json())["error"]
    assert stage.door.orders == []


async def test_without_the_supervisor_the_state_is_unknown_and_the_command_is_offered(
    stage: Scene, open_page: Open
) -> None:
    page = await open_page()
    await expect(page.locator(".state")).to_contain_text("Running")
    await stage.door.__aexit__()
    await expect(page.locator(".state")).to_contain_text("Unknown")
    await page.click("#kill")
    await page.click("#kill-now")
    await expect(page.locator("#pop")).to_contain_text("python3 run.py kill all")


async def test_the_page_outlives_the_guild(stage: Scene, open_page: Open, tmp_path: Path) -> None:
    page = await open_page()
    await end(stage.sandbox)
    await expect(page.locator("#top .away")).to_contain_text("Not connected to the guild")
    config = sandbox_config(list(stage.bots), stage.sandbox_port)
    again, _ = await start("bots.sandbox", config, tmp_path / "again.json")
    try:
        await expect(page.locator("#top .away")).to_have_count(0, timeout=15_000)
        await page.fill("#text", "back again")
        await page.press("#text", "Enter")
        await expect(page.locator(".message", has_text="back again")).to_be_visible()
    finally:
        await end(again)
