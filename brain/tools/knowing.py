"""Tools over what all agents know together: publish a finding, search those of others."""

from __future__ import annotations

import re
from typing import Annotated, Final

from brain.errors import BadArguments, ToolError
from brain.tools.context import Context
from brain.tools.period import clock
from brain.tools.quoting import counted, crop
from brain.tools.registry import Effects, Longest, ToolResult, tool
from storage import delegations, knowledge, record
from storage.event_tables import Knowledge
from storage.knowledge import Finding, Full, Published
from storage.unit import Unit

LONGEST_TITLE: Final = 120
LONGEST_FINDING: Final = 2_000
LONGEST_SOURCE: Final = 300
#: findings that `search_knowledge` tells, and characters of each
SHOWN: Final = 5
_CROPPED: Final = 600
_LINE: Final = re.compile(r"\b(?:message|line)[ :#]*(\d{1,18})\b", re.IGNORECASE)
_DELEGATION: Final = re.compile(r"\bD-[a-z0-9]{8}\b")


@tool(effects=Effects.WRITES, guard_class="knowledge", shown_if="is_for_all")
async def publish_knowledge(
    context: Context,
    *,
    title: Annotated[str, "what it is about, in a few words; the same title again replaces yours"],
    text: Annotated[str, "the finding, at most 2000 characters", Longest(LONGEST_FINDING)],
    confidence: Annotated[float, "how sure you are, from 0 (a guess) to 1 (checked)"],
    source: Annotated[
        str,
        "what it stands on: recorded lines as message:123, work as D-7k2m9qxa, addresses",
    ],
    topic: Annotated[str | None, "more words to find it by"] = None,
) -> ToolResult:
    """Publish a finding that all agents and people may search. Never publish what was said in
    private, passwords or keys.
    """
    finding = Finding(
        agent=context.agent,
        asked_by=context.asker,
        title=context.clean(_one_line("title", title, LONGEST_TITLE)),
        text=context.clean(_filled("text", text)),
        topic=context.clean(_one_line("topic", topic, LONGEST_TITLE)) if topic else "",
        source=context.clean(_one_line("source", source, LONGEST_SOURCE)),
        confidence=_share(confidence),
        trace_id=context.trace_id,
    )
    if not context.is_for_all:
        raise ToolError(
            "publish_knowledge: not everybody may read here, so nothing from here is published"
        )

    async def write(unit: Unit) -> Published:
        await _require_open(context, unit, finding.source)
        return await knowledge.publish(unit, finding, context.now())

    try:
        made = await context.store.write(write)
    except Full as error:
        raise ToolError(f"publish_knowledge: {error}") from error
    instead = f" in the place of {made.instead_of}" if made.instead_of else ""
    return ToolResult(text=f"Published as {made.id}{instead}: “{finding.title}”.")


@tool(effects=Effects.READS, guard_class="knowledge")
async def search_knowledge(
    context: Context,
    query: Annotated[str | None, "words to look for; left out: the newest findings"] = None,
) -> ToolResult:
    """Search what agents published, with who is how sure of it and on what it stands."""
    found = await context.store.read(lambda unit: knowledge.find(unit, query or "", SHOWN))
    if not found:
        about = f" about “{crop(query, LONGEST_TITLE)}”" if query else ""
        return ToolResult(text=f"Nothing was published{about}.")
    rows = [told(one, clock(one.published_at, context.now())) for one in found]
    return ToolResult(text="\n".join([f"{counted(len(found), 'finding')}:", *rows]))


def told(one: Knowledge, when: str) -> str:
    """One finding in one line: ``12. title: text (buyer, 80% sure, 14:02; from message:5)``."""
    text = crop(one.text, _CROPPED)
    return (
        f"{one.id}. {one.title}: {text} "
        f"({one.agent}, {one.confidence:.0%} sure, {when}; from {one.source})"
    )


async def _require_open(context: Context, unit: Unit, source: str) -> None:
    """What it names as its source must be there, and where everybody may read."""
    for number in map(int, _LINE.findall(source)):
        line = await record.line(unit, number) if number < 2**31 else None
        if line is None:
            raise BadArguments(f"publish_knowledge: there is no recorded line {number}")
        if line.channel[:1] not in {"#", "&"} or not context.is_open(line.network, line.channel):
            raise ToolError(f"publish_knowledge: not everybody may read line {number}")
    for code in _DELEGATION.findall(source):
        work = await delegations.by_code(unit, code)
        if work is None:
            raise BadArguments(f"publish_knowledge: there is no delegation {code}")
        if work.channel and (
            work.channel[:1] not in {"#", "&"} or not context.is_open(work.network, work.channel)
        ):
            raise ToolError(f"publish_knowledge: not everybody may read where {code} was asked for")


def _filled(name: str, value: str) -> str:
    if not value.strip():
        raise BadArguments(f"publish_knowledge: {name!r} is empty")
    return value.strip()


def _one_line(name: str, value: str, longest: int) -> str:
    line = " ".join(_filled(name, value).split())
    if len(line) > longest:
        raise BadArguments(
            f"publish_knowledge: {name!r} is longer than {longest} characters; shorten it"
        )
    return line


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        raise BadArguments("publish_knowledge: 'confidence' must be from 0 to 1")
    return value
