"""Tools by which an agent notes something for later: kept by name, told where it may be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from brain.errors import BadArguments, ToolError
from brain.tools.context import Context
from brain.tools.period import clock
from brain.tools.quoting import counted, crop
from brain.tools.registry import Effects, Longest, ToolResult, tool
from brain.words import stems
from storage import notes
from storage.notes import Noted, Written
from storage.unit import Unit

LONGEST_NAME = 64
LONGEST_NOTE = 1_000
#: notes that `recall` tells
SHOWN = 10

_FULL = {
    Written.FULL: f"there are {notes.MOST} notes, which is the most; forget some first",
    Written.PLACE_FULL: (
        f"{notes.MOST_OF_A_PLACE} notes come from here, which is the most; forget some first"
    ),
}


@tool(effects=Effects.WRITES, guard_class="notes")
async def remember(
    context: Context,
    name: Annotated[str, "a short name to find it by, such as 'ada likes tea'"],
    text: Annotated[str, "what to remember, at most 1000 characters", Longest(LONGEST_NOTE)],
) -> ToolResult:
    """Note something for later conversations; a note of the same name is replaced. Never note
    passwords or keys.
    """
    title, words = _title("remember", name), " ".join(text.split())
    if not words:
        raise BadArguments("remember: 'text' is empty")

    async def write(unit: Unit) -> Written:
        return await notes.remember(
            unit,
            context.agent,
            title,
            words,
            session=context.place,
            asker=context.asker,
            is_open=context.is_open_place,
            now=context.now(),
        )

    written = await context.store.write(write)
    if written in _FULL:
        raise ToolError(f"remember: {_FULL[written]}")
    where = "" if context.is_open_place else ", for this conversation only"
    done = "Noted" if written is Written.NEW else "Noted anew"
    return ToolResult(text=f"{done} as “{title}”{where}.")


@tool(effects=Effects.READS, guard_class="notes")
async def recall(
    context: Context,
    about: Annotated[str | None, "words of what is looked for; left out: the newest notes"] = None,
) -> ToolResult:
    """Recall notes of earlier conversations."""
    known = await context.store.read(lambda unit: notes.recall(unit, context.agent, context.place))
    found = _about(known, about) if about else known
    if not found:
        what = f" about “{crop(about, LONGEST_NAME)}”" if about else ""
        return ToolResult(text=f"I have no note{what}.")
    of = f"the first {SHOWN} of {counted(len(found), 'note')}"
    head = f"{counted(len(found), 'note') if len(found) <= SHOWN else of}:"
    rows = [_row(context, note) for note in found[:SHOWN]]
    return ToolResult(text="\n".join([head, *rows]))


@tool(effects=Effects.WRITES, guard_class="notes")
async def forget(
    context: Context, name: Annotated[str, "the note's name, as recall shows it"]
) -> ToolResult:
    """Forget one note for good."""
    title = _title("forget", name)
    gone = await context.store.write(
        lambda unit: notes.forget(unit, context.agent, title, context.place)
    )
    if not gone:
        raise ToolError(f"forget: there is no note “{title}” here; recall shows their names")
    return ToolResult(text=f"Forgot “{title}”.")


def _title(tool_name: str, name: str) -> str:
    """A name as it is kept: lower case, in one line, without what is put around names."""
    title = " ".join(name.lower().replace("|", " ").split()).strip(" \"'“”:.")
    if not title:
        raise BadArguments(f"{tool_name}: 'name' is empty")
    if len(title) > LONGEST_NAME:
        raise BadArguments(
            f"{tool_name}: 'name' is longer than {LONGEST_NAME} characters; shorten it"
        )
    return title


def _about(known: Sequence[Noted], about: str) -> list[Noted]:
    """Notes that share a word with `about`, those that share most of them first."""
    wanted = set(stems(about)) or set(about.lower().split())
    shared = {
        id(note): len(wanted & {*stems(f"{note.name} {note.text}"), *note.name.split()})
        for note in known
    }
    return sorted((n for n in known if shared[id(n)]), key=lambda n: -shared[id(n)])


def _row(context: Context, note: Noted) -> str:
    where = note.session if note.is_open else "here"
    by = f"{note.asker} in {where}" if note.asker else where
    return f"{note.name}: {note.text} ({by}, {clock(note.changed_at, context.now())})"
