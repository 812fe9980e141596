"""A browser with a page that is logged in, watched for what it must not do."""

from __future__ import annotations

import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.integration.console.stage import LOGIN, Scene, scene

CHROMIUM = Path("/usr/bin/chromium")

Open = Callable[..., Awaitable[Page]]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One browser for all these tests: a page's own context is what has to be new. Its address."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (Debian's package is called chromium)")
    profile = tmp_path_factory.mktemp("chromium")
    program = subprocess.Popen(
        [
            *(str(CHROMIUM), "--headless=new", "--no-sandbox", "--remote-debugging-port=0"),
            *("--disable-gpu", "--no-first-run", "--disable-background-networking"),
            *("--disable-component-update", "--disable-sync", "--disable-quic"),
            *(f"--user-data-dir={profile}", "about:blank"),
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{_port(profile / 'DevToolsActivePort')}"
    finally:
        program.kill()
        program.wait()


def _port(written: Path) -> str:
    """Where the browser says, in its profile, that it listens."""
    deadline_s = time.monotonic() + 30
    while not (written.exists() and written.read_text()):
        assert time.monotonic() < deadline_s, "the browser does not listen"
        time.sleep(0.05)
    return written.read_text().split()[0]


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        yield await playwright.chromium.connect_over_cdp(chromium)


class Watch:
    """What a page asked for, and what it complained of."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.outside: list[str] = []
        self.complaints: list[str] = []

    def follow(self, page: Page) -> None:
        page.on("request", lambda request: self._asked(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._said)

    def _asked(self, url: str) -> None:
        if not url.startswith((self._url, "blob:", "data:")):
            self.outside.append(url)

    def _said(self, message: Any) -> None:
        # the browser notes as errors what is none of the page: a refused act (409), and a request
        # that the test itself cut
        expected = ("status of 409", "net::ERR_FAILED")
        if message.type == "error" and not any(e in message.text for e in expected):
            self.complaints.append(message.text)


@pytest.fixture
async def open_page(stage: Scene, browser: Browser) -> AsyncIterator[Open]:
    """Opens a page, logged in; at the end no page may have asked an outside host."""
    watch = Watch(stage.url)

    async with AsyncExitStack() as stack:

        async def open_one(user: str = "you", **options: Any) -> Page:
            settings: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}}
            context = await browser.new_context(**(settings | options))
            stack.push_async_callback(context.close)
            page = await context.new_page()
            page.set_default_timeout(10_000)
            watch.follow(page)
            await page.goto(f"{stage.url}/?token={LOGIN}")
            if user != "you":
                await page.goto(f"{stage.url}/?user={user}")
            await page.wait_for_selector("#text")
            return page

        yield open_one
    assert watch.outside == []
    assert watch.complaints == []
