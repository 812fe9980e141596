"""The tool that reads what was attached to a line."""

from __future__ import annotations

from typing import Annotated

from brain.errors import ToolError
from brain.tools.context import Context
from brain.tools.lines import line_with
from brain.tools.places import channel_asked
from brain.tools.registry import Effects, ToolResult, tool


@tool(effects=Effects.READS, guard_class="memory", needs="fetch")
async def fetch_attachment(
    context: Context,
    name: Annotated[str, "the file's name, as [attachment NAME, SIZE] shows it"],
    channel: Annotated[str | None, "channel; left out: the one of the question"] = None,
) -> ToolResult:
    """Read the text of a file that somebody attached to a line."""
    if context.fetch is None:
        raise ToolError("fetch_attachment: there are no attachments here")
    async with context.store.reading() as unit:
        place = await channel_asked(context, unit, channel)
    label = f"[attachment {name.strip()}, "
    asked = await line_with(context, label, place, fits=lambda text: _stands_in(text, label))
    assert asked.id is not None
    text = await context.fetch(asked.id, name.strip())
    return ToolResult(text=text, evidence_ids=(asked.id,))


def _stands_in(text: str, label: str) -> bool:
    """As the record has it (`bots.discord.attachments.label`): on a line of its own, whole. What
    people write of a file in the middle of their words is no file.
    """
    return any(line.startswith(label) and line.endswith("]") for line in text.splitlines())
