"""An answer that grows in front of somebody, in a real browser."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.integration.console.conftest import Open
from tests.integration.console.stage import Scene

_SELECT = """li => { const range = document.createRange();
  range.selectNodeContents(li.querySelector('.text p').firstChild);
  getSelection().removeAllRanges(); getSelection().addRange(range); li.probe = 'the same'; }"""
_WHEN_STILL = """s => { const from = s.scrollTop; window.still = new Promise(done =>
  s.addEventListener('scrollend', () => Math.abs(s.scrollTop - from) > 20 && done())); }"""
_BELOW = "s => s.scrollHeight - s.scrollTop - s.clientHeight"


async def scroll(page: Page, by: int) -> None:
    """Turn the wheel over the messages, and wait until they stand still."""
    await page.locator("#stream").evaluate(_WHEN_STILL)
    await page.mouse.move(700, 400)
    await page.mouse.wheel(0, by)
    await page.evaluate("window.still")


async def below(page: Page) -> float:
    """Pixels below what is seen."""
    return float(await page.locator("#stream").evaluate(_BELOW))


async def has_code(answer: Locator, code: str) -> None:
    await expect(answer.locator("pre code")).to_have_text(code)


async def test_an_answer_grows_in_place_and_is_whole_at_last(stage: Scene, open_page: Open) -> None:
    page = await open_page(color_scheme="dark")
    lobby = stage.channel("lobby", "captain")
    cut = await stage.channel("lobby", "secretary").send("I was …")
    said = await lobby.send("The rule …")
    answer = page.locator(f"#m{said.id}")
    await expect(answer).to_have_class(re.compile(r"\bgrows\b"))
    await expect(answer.locator(".more")).to_have_css("background-color", "rgb(121, 173, 255)")
    await expect(page.locator("#typing")).to_contain_text("secretary, captain are writing")
    await expect(page.locator("#stop-reply")).to_contain_text("Stop this reply")

    # What is selected, pointed at or focused stays: the row is not drawn anew.
    await answer.evaluate(_SELECT)
    await answer.hover()
    await said.edit(content="The rule is `half` to even …")
    await expect(answer).to_contain_text("half to even")
    assert await page.evaluate("getSelection().toString()") == "The rule"
    assert await answer.evaluate("li => li.probe") == "the same"
    await expect(answer.locator(".tools")).to_be_visible()
    await expect(answer.locator(".edited")).to_have_count(0)

    # Code is code before its fence is closed, and when the agent closes it for the time being.
    await said.edit(content="The rule:\n```py\ndef total(x): …")
    await has_code(answer, "def total(x):…")
    await said.edit(content="The rule:\n```py\ndef total(x):\n    return …\n```")
    await has_code(answer, "def total(x):\n    return…")

    await said.edit(content="The rule:\n```py\nx\n```\nThat is all.\n-# a model answered")
    await expect(answer.locator("small")).to_have_text("a model answered(edited)")
    await expect(answer.locator("small")).to_have_css("font-size", "12px")
    await expect(answer).not_to_have_class(re.compile(r"\bgrows\b"))
    await expect(answer.locator(".more")).to_have_count(0)
    await expect(page.locator("#live")).to_contain_text("captain: The rule: x That is all.")
    assert await answer.evaluate("li => li.probe") == "the same"

    # Nobody goes on with the other one: it is not shown as if it still grew.
    left = page.locator(f"#m{cut.id}")
    await expect(left).not_to_have_class(re.compile(r"\bgrows\b"), timeout=15_000)
    await expect(left.locator(".text")).to_have_text("I was…")
    await expect(page.locator("#typing")).to_have_text("")


async def test_who_reads_the_end_follows_it_and_who_scrolled_up_stays(
    stage: Scene, open_page: Open
) -> None:
    lobby = stage.channel("lobby", "captain")
    for number in range(4):
        await lobby.send("\n".join(f"line {number}.{line}" for line in range(12)))
    page = await open_page()
    said = await lobby.send("Listen …")
    answer = page.locator(f"#m{said.id}")

    async def grows(lines: int) -> None:
        await said.edit(content="\n".join(f"word {line}" for line in range(lines)) + " …")
        await expect(answer).to_contain_text(f"word {lines - 1}")

    for lines in (2, 4, 6):
        await grows(lines)
        assert await below(page) < 2
    # A little is enough to say that one reads something else.
    await scroll(page, -60)
    assert 40 < await below(page) < 80
    seen = await page.locator("#stream").evaluate("s => s.scrollTop")
    for lines in (8, 10):
        await grows(lines)
        assert await page.locator("#stream").evaluate("s => s.scrollTop") == seen
    await scroll(page, 2_000)
    await grows(14)
    assert await below(page) < 2
