"""The page of a swarm that thinks with language models: an answer grows before somebody's eyes, and
a model that fails is replaced before them; the vendors are stubs on this machine.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.acceptance.browser import WITH_PAGE, command, needs_browser, page_of, write
from tests.acceptance.stage import Swarm
from tests.acceptance.test_brains import KEY, model
from tests.vendors.replies import by_words, last_line
from tests.vendors.script import Asked, Say, Script, Slow, Step
from tests.vendors.server import Stub, serving

Make = Callable[..., Swarm]
GROWS = re.compile(r"\bgrows\b")
LINES = [f"{number}. step {number} of the plan" for number in range(1, 11)]
PLAN = "\n".join(["The plan:", "```text", *LINES, "```", "That is all."])
_BELOW = "s => s.scrollHeight - s.scrollTop - s.clientHeight"
#: notes the length of a message's text whenever it changes, and how far the end was below the view
_WATCH = """id => {
  const seen = window.seen = [];
  const stream = document.querySelector('#stream');
  const look = () => {
    const row = document.getElementById(id);
    const below = stream.scrollHeight - stream.scrollTop - stream.clientHeight;
    const told = [row.textContent.length, below];
    if (told[0] !== seen.at(-1)?.[0]) seen.push(told);
    requestAnimationFrame(look);
  };
  look();
}"""


def plans(asked: Asked) -> Step:
    line = last_line(asked.said)
    if "tell the plan" in line:
        return Slow(Say(PLAN), between_s=0.15 if "slowly" in line else 0.05)
    return by_words(asked)


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    async with serving(Script(choose=plans, keys=[KEY])) as running:
        yield running


def thinking(swarm: Make, tmp_path: Path, stub: Stub) -> Swarm:
    """Two agents with two models, and a page."""
    key = tmp_path / "key"
    key.write_text(KEY)
    key.chmod(0o600)
    models = model("first", "anthropic", stub, key) + model("second", "openai", stub, key)
    chain = '[defaults]\nbrain = "first"\nfallback = ["second", "offline"]\n'
    return swarm(
        agents=("captain", "secretary"),
        transports=("discord",),
        more=models + chain + "[heartbeat]\nevery_s = 0\n",
        swarm_table=WITH_PAGE,
    )


def answer_of(page: Page, agent: str) -> Locator:
    """The newest message of this agent."""
    name = page.locator(".name", has_text=agent)
    return page.locator("#messages > .message", has=name).last


@needs_browser
async def test_answers_grow_and_models_fail_before_somebodys_eyes(
    swarm: Make, stub: Stub, tmp_path: Path
) -> None:
    one = thinking(swarm, tmp_path, stub)
    await one.up()
    async with page_of(one) as opened:
        you: Page = await opened()
        await you.set_viewport_size({"width": 1180, "height": 420})

        # One message grows, its end in view at every step, and is whole at last.
        await write(you, "@secretary please tell the plan")
        answer = answer_of(you, "secretary")
        await expect(answer).to_have_class(GROWS)
        await you.evaluate(_WATCH, await answer.get_attribute("id"))
        await expect(answer.locator(".edited")).to_have_count(0)
        await expect(you.locator("#typing")).to_contain_text("secretary is writing")
        await expect(answer.locator("pre code")).to_contain_text("step 2 of the plan")
        await expect(answer.locator(".more")).to_have_count(1)
        await expect(answer).to_contain_text("That is all.")
        await expect(answer).not_to_have_class(GROWS)
        await expect(answer.locator("pre code")).to_have_text("\n".join(LINES))
        seen = await you.evaluate("window.seen")
        assert len(seen) >= 3
        assert max(below for _, below in seen) < 2
        assert await you.locator("#messages > .message", has_text="The plan:").count() == 1

        # Who scrolled up is not pulled down, and may stop the reply.
        await write(you, "@secretary tell the plan slowly")
        await expect(you.locator("#messages > .message.grows pre")).to_contain_text("step 1 ")
        await you.mouse.move(500, 200)
        await you.mouse.wheel(0, -60)
        await expect(you.locator("#messages > .message.grows pre")).to_contain_text("step 5 ")
        assert await you.locator("#stream").evaluate(_BELOW) > 40
        plan = stub.script.last
        await you.locator("#stop-reply").click()
        async with asyncio.timeout(20):
            await plan.closed.wait()
        await expect(you.get_by_text("Told secretary to stop").first).to_be_visible()
        await expect(you.locator("#messages > .message.grows")).to_have_count(0)
        assert (
            "That is all."
            not in await you.locator("#messages > .message", has_text="The plan:").last.inner_text()
        )

        # A model fails, the next one answers, and the answer says so in small print.
        stub.script.failing["claude-sonnet-5"] = 529
        await write(you, "@captain who are you?")
        footer = answer_of(you, "captain").locator("small")
        await expect(footer).to_contain_text("claude-sonnet-5 did not answer (overloaded)")
        await expect(footer).to_have_css("font-size", "12px")
        await expect(you.locator("#members .member", has_text="captain")).to_contain_text("second")
        await command(you, "model")
        await expect(answer_of(you, "captain")).to_contain_text("at present second")
        await command(you, "budget")
        await expect(answer_of(you, "captain")).to_contain_text("the swarm: last hour 0.")

        # Nobody is left: the brain without a model answers, and is labelled.
        stub.script.failing["gpt-5"] = 529
        await write(you, "@secretary who are you?")
        labelled = answer_of(you, "secretary").locator(".tag.offline")
        await expect(labelled).to_have_text("Offline brain")
