"""The page of a real swarm, in a real browser: a newcomer's first minute, and the red button."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.acceptance.stage import Swarm, until

Make = Callable[..., Swarm]
CHROMIUM = Path("/usr/bin/chromium")
AGENTS = ("captain", "secretary", "auditor")
WITH_PAGE = '[swarm]\nname = "test"\n[[channels]]\nname = "#ceo-office"\neverybody = true\n'


@asynccontextmanager
async def page_of(swarm: Swarm) -> AsyncIterator[Callable[..., object]]:
    """Opens the swarm's page, logged in; no page may ask an outside host or complain."""
    status = await swarm.status()
    outside: list[str] = []
    complaints: list[str] = []

    def asked(url: str) -> None:
        if not url.startswith((status["console"], "blob:", "data:")):
            outside.append(url)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox"]
        )

        async def opened(user: str = "you") -> Page:
            context = await browser.new_context(viewport={"width": 1440, "height": 900})
            page = await context.new_page()
            page.set_default_timeout(15_000)
            page.on("request", lambda request: asked(request.url))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            await page.goto(status["console_login"])
            if user != "you":
                await page.goto(f"{status['console']}?user={user}")
            await page.wait_for_selector("#text")
            return page

        yield opened
        await browser.close()
    assert outside == []
    assert complaints == []


async def _write(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")


async def _command(page: Page, name: str, *words: str) -> None:
    """Type a slash command as a person does, and send it."""
    await page.locator("#text").click()
    await page.keyboard.type(f"/{name}")
    await expect(page.locator("#offers li").first).to_contain_text(f"/{name}", timeout=15_000)
    for word in words:
        await page.keyboard.type(f" {word}")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser: {CHROMIUM} is missing")
async def test_a_newcomers_minute_an_approval_and_the_red_button(swarm: Make) -> None:
    one = swarm(agents=AGENTS, transports=("discord",), swarm_table=WITH_PAGE)
    await one.up("--sandbox-users", "1")
    await until(lambda: _has_page(one), "the page listens")
    async with page_of(one) as opened:
        you: Page = await opened()  # type: ignore[misc]
        await _write(you, "the mixer is broken again, it hums at 50 Hz")
        await _write(you, "@secretary who mentioned the mixer?")
        await expect(you.get_by_text("1 line (UTC)").first).to_be_visible()
        await _command(you, "status")
        await expect(you.get_by_text("3 agents: 3 ready").first).to_be_visible()

        # Somebody who may not restart an agent has the operators asked; one of them presses.
        guest: Page = await opened("guest1")  # type: ignore[misc]
        before = await one.pid_of("auditor")
        await _command(guest, "restart", "auditor")
        await expect(guest.get_by_text("I asked the operators").first).to_be_visible()
        await you.get_by_role("link", name="ceo-office").first.click()
        await you.get_by_role("button", name="Approve").click()
        await until(lambda: _other_pid(one, before), "the auditor has a new process")
        await one.becomes("ready")

        # The red button: a click asks, and Escape means no; the shortcut does not ask.
        await you.locator("#kill").click()
        await expect(you.locator("#kill-now")).to_have_text("Stop all 3 agents")
        await you.keyboard.press("Escape")
        await expect(you.locator("#kill-now")).to_be_hidden()
        assert {a["state"] for a in (await one.status())["agents"]} == {"ready"}
        assert one.rows("select 1 from audit where verb = 'kill'") == []
        await you.keyboard.press("Control+Shift+K")
        await expect(you.get_by_text("The swarm is stopped").first).to_be_visible()
        await one.becomes("killed")
        await expect(you.get_by_text("Confirmed stopped, 3 of 3").first).to_be_visible()
        # How fast it was, agent by agent and at last: as the supervisor measured it.
        slowest = you.locator(".slowest")
        await expect(slowest).to_have_text(re.compile(r"^\d+ msuntil all 3 confirmed$"))
        figures = you.locator("#members .member .mono")
        await expect(figures).to_have_count(3)
        ms = [int(text.removesuffix(" ms")) for text in await figures.all_inner_texts()]
        assert f"{max(ms)} ms" in await slowest.inner_text()
        await expect(you.locator(".since b")).to_have_text("0")


def _has_page(one: Swarm) -> bool:
    services = {s["name"]: s["up"] for s in one._status()["services"]}
    return bool(services.get("console"))


def _other_pid(one: Swarm, before: int) -> bool:
    pids = {a["name"]: a["pid"] for a in one._status()["agents"]}
    return bool(pids["auditor"] not in (None, before))
