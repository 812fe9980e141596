"""At a limit people are told what tools found, as an agent is put together: without secrets."""

from __future__ import annotations

import sqlalchemy as sa

from bots.secrets import HIDDEN
from brain.model import Completion, ToolCall
from brain.tools.context import Context
from brain.tools.registry import Effects, ToolResult, tool
from storage.core import TURN, run
from tests.integration.working.scene import Scene, Stepping

SECRET = "sk-proj-not-a-real-key-0123456789"


@tool(effects=Effects.READS, guard_class="trial")
async def look(context: Context) -> ToolResult:
    """Look."""
    return ToolResult(text=f"The key is {SECRET}, as the page says.")


async def test_a_secret_that_a_tool_found_reaches_neither_chat_nor_rows(scene: Scene) -> None:
    wants = Completion(tool_calls=(ToolCall(id="c0", name="look", arguments={}),))
    await scene.answerer(Stepping([wants]), look).turn([scene.work])
    async with scene.captain.store.reading() as unit:
        remembered = (await run(unit, sa.select(TURN.c.answer))).scalar_one()
    shown = "\n".join(message["content"] for message in await scene.shown())
    replies = str(await scene.replies())
    for told in (shown, replies, remembered):
        assert f"The key is {HIDDEN}, as the page says." in told
        assert SECRET not in told
