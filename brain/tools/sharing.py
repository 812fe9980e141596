"""The tool that gives people a file."""

from __future__ import annotations

import re
from typing import Annotated

from brain.errors import BadArguments, ToolError
from brain.tools.context import Context
from brain.tools.registry import Effects, Longest, ToolResult, tool

LONGEST_FILE = 100_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,60}\.(?:txt|md|csv|json|log|toml|yaml|py)")


@tool(effects=Effects.SENDS, guard_class="posting", needs="share")
async def share_file(
    context: Context,
    name: Annotated[str, "the file's name, such as report.md; text files only"],
    text: Annotated[str, "what is in it, at most 100000 characters", Longest(LONGEST_FILE)],
) -> ToolResult:
    """Attach a text file where you were asked: for what is too long to be read in a chat."""
    if context.share is None:
        raise ToolError("share_file: there are no files here")
    if not _NAME.fullmatch(name):
        raise BadArguments(f"share_file: {name[:80]!r} is no name of a text file; write report.md")
    if not text.strip():
        raise BadArguments("share_file: 'text' is empty")
    return ToolResult(text=f"{name}: {await context.share(name, text)}")
