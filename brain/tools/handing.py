"""Tools that hand work to other agents, tell how far one is, and take work back."""

from __future__ import annotations

from typing import Annotated

from brain.errors import BadArguments, ToolError
from brain.tools.context import Context, Handing
from brain.tools.registry import Effects, Longest, ToolResult, tool

LONGEST_INSTRUCTION = 4_000
#: a turn has its own time; an answer that takes longer comes by itself
_LONGEST_WAIT_S = 45.0
_USUAL_WAIT_S = 30.0


@tool(effects=Effects.ONCE, guard_class="delegation", needs="handing")
async def delegate(
    context: Context,
    agent: Annotated[str, "an agent's name, or auto for whoever is best at it"],
    instruction: Annotated[
        str, "what it shall do, with all that it must know", Longest(LONGEST_INSTRUCTION)
    ],
    wait_s: Annotated[float | None, "seconds to wait for the result; 0 only hands it over"] = None,
) -> ToolResult:
    """Hand work to another agent. You get what came of it, or a code if it takes longer; then the
    result is said where you were asked.
    """
    wait = _USUAL_WAIT_S if wait_s is None else max(0.0, min(wait_s, _LONGEST_WAIT_S))
    return ToolResult(text=await _hands(context).give(agent, instruction, wait))


@tool(effects=Effects.ONCE, guard_class="delegation", needs="handing")
async def ask_peer(
    context: Context,
    agent: Annotated[str, "an agent's name"],
    question: Annotated[str, "what you want to know", Longest(LONGEST_INSTRUCTION)],
) -> ToolResult:
    """Ask another agent something and wait for its answer."""
    return ToolResult(text=await _hands(context).ask(agent, question, _LONGEST_WAIT_S))


@tool(effects=Effects.ONCE, guard_class="delegation", needs="handing", shown_if="is_delegated")
async def report(
    context: Context, words: Annotated[str, "how far you are, in a sentence or two"]
) -> ToolResult:
    """Tell who gave you the work at hand how far you are. Your answer is the result anyway."""
    return ToolResult(text=await _hands(context).report(words))


@tool(effects=Effects.ONCE, guard_class="delegation", needs="handing")
async def cancel(
    context: Context,
    code: Annotated[str, "code of work that you handed over, such as D-7k2m9qxa"],
    why: Annotated[str | None, "the reason"] = None,
) -> ToolResult:
    """Take back work that you handed over, with all that was made for it."""
    if not code.strip():
        raise BadArguments("cancel: 'code' is empty")
    return ToolResult(text=await _hands(context).cancel(code.strip(), why or ""))


def _hands(context: Context) -> Handing:
    if context.handing is None:
        raise ToolError("no work can be handed over from here")
    return context.handing
