"""The page of a real swarm in a real browser, and hands to use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.acceptance.stage import PATIENCE_S, Swarm, until

# A busy machine takes its time; what never comes is found out all the same.
expect.set_options(timeout=PATIENCE_S * 1000)
CHROMIUM = Path("/usr/bin/chromium")
WITH_PAGE = '[swarm]\nname = "test"\n[[channels]]\nname = "#ceo-office"\neverybody = true\n'

needs_browser = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"no browser: {CHROMIUM} is missing"
)
Open = Callable[..., Awaitable[Page]]


@asynccontextmanager
async def page_of(swarm: Swarm) -> AsyncIterator[Open]:
    """Opens the swarm's page, logged in; no page may ask an outside host or complain."""
    await until(lambda: _has_page(swarm), "the page listens")
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


async def write(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")


async def command(page: Page, name: str, *words: str) -> None:
    """Type a slash command as a person does, and send it."""
    await page.locator("#text").click()
    await page.keyboard.type(f"/{name}")
    await expect(page.locator("#offers li").first).to_contain_text(f"/{name}", timeout=15_000)
    for word in words:
        await page.keyboard.type(f" {word}")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")


def _has_page(one: Swarm) -> bool:
    services = {s["name"]: s["up"] for s in one._status()["services"]}
    return bool(services.get("console"))
