"""Tools that show something to people beside the answer: a line in another channel, a reaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from brain.errors import BadArguments, ToolError
from brain.tools.context import Context
from brain.tools.lines import line_with
from brain.tools.registry import Effects, Longest, ToolResult, tool
from storage import replies
from storage.unit import Unit

LONGEST_POST = 1_500
#: characters of one emoji: families and flags are made of several
_LONGEST_EMOJI = 12


@tool(effects=Effects.SENDS, guard_class="posting", needs="say")
async def post(
    context: Context,
    target: Annotated[str, "the channel with its network, such as irc:#market or discord:#market"],
    text: Annotated[str, "what to say, at most 1500 characters", Longest(LONGEST_POST)],
) -> ToolResult:
    """Say something in another channel. Where you were asked your answer is said anyway."""
    if context.say is None:
        raise ToolError("post: nothing can be said from here")
    words = text.strip()
    if not words:
        raise BadArguments("post: 'text' is empty")
    if any(line.lstrip().startswith(context.command_prefix) for line in words.splitlines()):
        raise ToolError("post: commands are for people to give")
    where = _channel(context, target)
    if context.hops >= context.max_hops:
        raise ToolError("post: agents have answered each other often enough; leave it at that")
    waits_s = await context.store.read(lambda unit: _waits_s(context, unit, where))
    if waits_s > 0:
        raise ToolError(f"post: you said something in {where} just now; wait {waits_s:.0f} s")
    became = await context.say(where, words, context.hops + 1)
    return ToolResult(text=f"{where}: {became}")


@tool(effects=Effects.SENDS, guard_class="posting", needs="react")
async def react(
    context: Context,
    emoji: Annotated[str, "one emoji"],
    line: Annotated[str | None, "words of the line meant; left out: the question's own"] = None,
) -> ToolResult:
    """React to a line of this channel with an emoji."""
    if context.react is None:
        raise ToolError("react: there are no reactions here")
    mark = emoji.strip()
    if not mark or len(mark) > _LONGEST_EMOJI or mark.isascii() or any(map(str.isalpha, mark)):
        raise BadArguments("react: 'emoji' must be one emoji, such as 👍")
    message_id = context.message_id
    if line:
        message_id = (await line_with(context, line)).id
    if message_id is None:
        raise BadArguments("react: nobody's line asked this; give words of the line meant")
    return ToolResult(text=await context.react(message_id, mark))


def _channel(context: Context, target: str) -> str:
    """The agent's channel that `target` names in full; raises `BadArguments`, `ToolError`."""
    network, _, name = target.strip().partition(":")
    if not network or not name.startswith(("#", "&")):
        raise BadArguments(
            f"post: {target!r} is no channel with its network; write irc:#market or discord:#market"
        )
    known = {each.lower(): each for each in context.targets()}
    where = known.get(f"{network}:{name}".lower())
    if where is None:
        raise ToolError(f"post: you may post in {', '.join(sorted(known)) or 'no channel'} only")
    if context.channel is not None and where == f"{context.network}:{context.channel}":
        raise ToolError("post: you were asked there, and your answer is said there; just answer")
    return where


async def _waits_s(context: Context, unit: Unit, where: str) -> float:
    """Seconds until this agent may say there again what nobody asked for."""
    now = context.now()
    since = now - timedelta(seconds=context.post_every_s)
    last = await replies.last_unasked(unit, context.agent, where, since)
    return (last - since).total_seconds() if last is not None else 0.0
