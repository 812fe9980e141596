"""The red button, the way back, and what the page shows when it does not know."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

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
    await expect(page.locator(".panel .missing").first).to_have_text("secretary has not confirmed")
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
