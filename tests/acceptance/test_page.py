"""The page of a real swarm, in a real browser: a newcomer's first minute, and the red button."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.async_api import Page, expect

from tests.acceptance.browser import WITH_PAGE, command, needs_browser, page_of, write
from tests.acceptance.stage import Swarm, until

Make = Callable[..., Swarm]
AGENTS = ("captain", "secretary", "auditor")


@needs_browser
async def test_a_newcomers_minute_an_approval_and_the_red_button(swarm: Make) -> None:
    one = swarm(agents=AGENTS, transports=("discord",), swarm_table=WITH_PAGE)
    await one.up("--sandbox-users", "1")
    async with page_of(one) as opened:
        you: Page = await opened()
        await write(you, "the mixer is broken again, it hums at 50 Hz")
        await write(you, "@secretary who mentioned the mixer?")
        await expect(you.get_by_text("1 line (UTC)").first).to_be_visible()
        await command(you, "status")
        await expect(you.get_by_text("3 agents: 3 ready").first).to_be_visible()

        # Somebody who may not restart an agent has the operators asked; one of them presses.
        guest: Page = await opened("guest1")
        before = await one.pid_of("auditor")
        await command(guest, "restart", "auditor")
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


def _other_pid(one: Swarm, before: int) -> bool:
    pids = {a["name"]: a["pid"] for a in one._status()["agents"]}
    return bool(pids["auditor"] not in (None, before))
