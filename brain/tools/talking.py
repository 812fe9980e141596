"""Tools for private talk with another agent, over several turns."""

from __future__ import annotations

from typing import Annotated

from brain.errors import BadArguments, ToolError
from brain.tools.context import Context, Talking
from brain.tools.registry import Effects, Longest, ToolResult, tool

LONGEST_WORDS = 4_000


@tool(effects=Effects.ONCE, guard_class="delegation", needs="talking", shown_if="may_open_talk")
async def talk_with(
    context: Context,
    agent: Annotated[str, "an agent's name"],
    words: Annotated[str, "what you say", Longest(LONGEST_WORDS)],
    code: Annotated[str | None, "of a talk that you opened here in an earlier turn"] = None,
) -> ToolResult:
    """Say something to another agent in private and get its answer; it knows what was said in this
    talk before. The first call opens the talk, further ones go on with it. For one question
    ask_peer is enough.
    """
    said = words.strip()
    if not said:
        raise BadArguments("talk_with: 'words' is empty")
    text = await _talking(context).say(agent.strip().lower(), said, (code or "").strip())
    return ToolResult(text=text)


@tool(effects=Effects.ONCE, guard_class="delegation", needs="talking")
async def end_talk(
    context: Context,
    code: Annotated[str | None, "the talk's; left out: the one you are asked in"] = None,
    why: Annotated[str | None, "the reason, in a few words"] = None,
) -> ToolResult:
    """End a private talk that you opened, or that you are asked in. Nobody answers that."""
    return ToolResult(text=await _talking(context).end((code or "").strip(), (why or "").strip()))


def _talking(context: Context) -> Talking:
    if context.talking is None:
        raise ToolError("nobody can be talked with from here")
    return context.talking
