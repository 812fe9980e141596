"""Slash commands, buttons, selects, forms and approval cards, in a real browser."""

from __future__ import annotations

from playwright.async_api import expect

from tests.integration.console.bots import Desk, approval
from tests.integration.console.conftest import Open
from tests.integration.console.stage import Scene
from tests.integration.console.test_console_chat import say


async def test_a_command_with_autocomplete(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    await page.locator("#text").press_sequentially("/as")
    first = page.locator("#offers li").first
    await expect(first).to_contain_text("/ask agent question")
    await page.keyboard.press("Tab")
    await expect(page.locator("#text")).to_have_value("/ask ")
    await page.locator("#text").press_sequentially("agent:sec")
    await expect(page.locator("#offers li")).to_have_count(1)
    await expect(first).to_contain_text("secretary")
    await page.keyboard.press("Tab")
    await expect(page.locator("#text")).to_have_value("/ask agent:secretary ")
    await page.locator("#text").press_sequentially("question:what is new?")
    await page.keyboard.press("Enter")
    answer = page.locator(".message", has_text="secretary, you are asked: what is new?")
    await expect(answer.locator(".quote")).to_contain_text("you used /ask")


async def test_what_is_wrong_with_a_command_is_said(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    await say(page, "/ask captain")
    await expect(page.locator("#trouble")).to_contain_text("/ask needs question")
    await expect(page.locator("#text")).to_have_value("/ask captain")
    await say(page, "/nothing")
    await expect(page.locator("#trouble")).to_contain_text("There is no command /nothing")


async def test_a_private_answer_is_seen_by_one_and_dismissed(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    guest = await open_page(user="guest1")
    await say(page, "/whoami")
    private = page.locator(".message.private")
    await expect(private).to_contain_text("You are you")
    await expect(private.locator(".only-you")).to_contain_text("Only you can see this")
    await say(guest, "/whoami")
    await expect(guest.locator(".message.private")).to_have_count(1)
    await expect(guest.locator(".message.private")).to_contain_text("You are guest1")
    await private.locator("[data-dismiss]").click()
    await expect(private).to_have_count(0)


async def test_a_form_a_select_and_a_silent_button(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    other = await open_page()
    await stage.channel("lobby").send("decide", view=Desk())
    await page.click("button:has-text('Reject')")
    form = page.locator("#dialog form")
    await expect(form.locator("h2")).to_have_text("A question")
    await form.locator("input").fill("money")
    await form.locator("textarea").fill("how much?")
    await form.locator("button:has-text('Send')").click()
    await expect(page.locator(".message", has_text="form: money / how much?")).to_be_visible()
    await expect(page.locator("#dialog")).not_to_be_visible()
    # the form opened only where it was asked for
    await expect(other.locator("#dialog")).not_to_be_visible()
    await page.click("button:has-text('Silent')")
    await expect(page.locator("#dialog")).to_contain_text("did not answer in time")
    await page.keyboard.press("Escape")
    await say(page, "/colours")
    await page.select_option("[data-select=pick]", "green")
    await expect(page.locator(".message", has_text="picked green")).to_be_visible()


async def test_an_approval_card_is_pressed_by_keyboard(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    await say(page, "/propose")
    card = page.locator(".approval")
    await expect(card).to_contain_text("Needs a person")
    await expect(card).to_contain_text("AP-118")
    await expect(card.locator("dl")).to_contain_text("Costs at most")
    await expect(card.locator("[data-left]")).to_contain_text("Rejects itself in")
    await expect(page.locator("#go-waiting .count")).to_have_text("1")
    await page.click("#go-waiting")
    await expect(page.locator("#head h1")).to_have_text("Waiting for you")
    await card.focus()
    await page.keyboard.press("n")
    await expect(page.locator("#dialog h2")).to_have_text("A question")
    await page.keyboard.press("Escape")
    await expect(page.locator("#dialog")).not_to_be_visible()
    await card.focus()
    await page.keyboard.press("a")
    await page.keyboard.press("Enter")
    await expect(page.locator("#nothing")).to_have_text("Nothing waits for you.")
    await expect(page.locator("#go-waiting .count")).to_have_count(0)
    await page.click("#channels .channel:has-text('lobby')")
    await expect(card).to_contain_text("Approved by you")
    await expect(card).to_contain_text("Decided")


async def test_an_approval_shows_itself_expired(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    await stage.channel("lobby").send(embed=approval(seconds=1.5), view=Desk())
    card = page.locator(".approval")
    await expect(card).to_contain_text("Rejected itself at")
    await expect(card.locator("button").first).to_be_disabled()


async def test_the_jump_list_and_the_list_of_keys(stage: Scene, open_page: Open) -> None:
    page = await open_page()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("repo")
    await page.keyboard.press("Enter")
    await expect(page.locator("#head h1")).to_have_text("reports")
    await page.locator("#main").focus()
    await page.keyboard.press("?")
    await expect(page.locator("#dialog h2")).to_have_text("Keyboard")
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await expect(page.locator("#text")).to_have_value("/")
    await expect(page.locator("#text")).to_be_focused()
