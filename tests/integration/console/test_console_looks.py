"""Dark and light, wide and narrow."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

from tests.integration.console.bots import Desk, approval
from tests.integration.console.conftest import Open
from tests.integration.console.stage import Scene

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}


async def background(page: Page) -> str:
    return str(await page.evaluate("getComputedStyle(document.body).backgroundColor"))


async def test_the_theme_follows_the_system_until_it_is_chosen(
    stage: Scene, open_page: Open
) -> None:
    page = await open_page(color_scheme="light")
    assert await background(page) == "rgb(240, 242, 245)"
    await page.click("#theme")
    assert await background(page) == "rgb(13, 15, 18)"
    await page.reload()
    await page.wait_for_selector("#text")
    assert await background(page) == "rgb(13, 15, 18)"


async def test_a_phone_has_one_column_and_large_targets(stage: Scene, open_page: Open) -> None:
    await stage.channel("lobby").send("a word " * 60, view=Desk())
    await stage.channel("lobby").send(embed=approval(), view=Desk())
    page = await open_page(**PHONE)
    await expect(page.locator(".approval")).to_be_visible()
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide == 390
    await expect(page.locator("#side")).not_to_be_in_viewport()
    small = await page.evaluate(
        """[...document.querySelectorAll('button, a.channel, #tabbar > *, textarea')]
        .filter(e => e.checkVisibility({visibilityProperty: true}))
        .map(e => [e.id || e.className || e.textContent, e.getBoundingClientRect()])
        .filter(([name, box]) => box.height && box.height < 40 && name !== 'here')
        .map(([name]) => name)"""
    )
    assert small == []
    await page.tap("[data-drawer=side]")
    await expect(page.locator("#side")).to_be_in_viewport()
    await page.tap("#channels .channel:has-text('reports')")
    await expect(page.locator(".here")).to_contain_text("reports")
    await expect(page.locator("#side")).not_to_be_in_viewport()
    await page.tap("#tabbar [data-drawer=people]")
    await expect(page.locator("#people")).to_be_in_viewport()
    await page.tap("[data-drawer-close]")
    await page.tap("#tab-waiting")
    await expect(page.locator(".approval")).to_be_visible()
    await page.tap("#tab-chat")
    await expect(page.locator(".here")).to_contain_text("reports")
    await expect(page.locator("#kill")).to_be_in_viewport()


async def test_everything_that_can_be_used_has_a_name(stage: Scene, open_page: Open) -> None:
    await stage.channel("lobby").send(embed=approval(), view=Desk())
    page = await open_page()
    await page.wait_for_selector(".approval")
    nameless = await page.evaluate(
        """[...document.querySelectorAll('button, a, input, select, textarea')]
        .filter(e => e.checkVisibility())
        .filter(e => !(e.ariaLabel || e.textContent.trim() || e.labels?.length || e.title))
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []
    await page.keyboard.press("Tab")
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
