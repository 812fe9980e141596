"""Tools about the project: how it stands, what was done, what was decided."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from brain.errors import BadArguments, ToolError
from brain.project import NOBODY_SAID, may_be_quoted
from brain.tools.context import Context, Project
from brain.tools.period import clock
from brain.tools.quoting import crop
from brain.tools.registry import Effects, Longest, ToolResult, tool
from storage import project_log
from storage.project_log import LONGEST_TEXT, Standing
from storage.project_tables import EntryKind, ProjectEntry, ProjectStatus
from storage.unit import Unit

_SHOWN: Final = 10
_PERIOD: Final = timedelta(days=7)
_STATUSES: Final = ", ".join(ProjectStatus)
_KINDS: Final = {"decision": EntryKind.DECISION, "note": EntryKind.NOTE}


@tool(effects=Effects.READS, guard_class="project")
async def project(context: Context) -> ToolResult:
    """How the project stands, and the newest lines of its log: results, decisions, notes."""
    now = context.now()

    async def read(unit: Unit) -> tuple[Standing | None, list[ProjectEntry]]:
        stands = await project_log.standing(unit)
        return stands, await project_log.since(unit, now - _PERIOD, now)

    stands, entries = await context.store.read(read)
    head = NOBODY_SAID
    if stands is not None:
        head = f"{stands.status} since {clock(stands.since, now)}: {stands.sentence}"
    shown = [e for e in entries if may_be_quoted(e, context.may_quote)][-_SHOWN:]
    return ToolResult(text="\n".join([head, *(_row(context, entry) for entry in shown)]))


@tool(effects=Effects.WRITES, guard_class="project", needs="project", shown_if="leads")
async def set_project_status(
    context: Context,
    status: Annotated[str, _STATUSES],
    sentence: Annotated[str, "why, in a sentence", Longest(LONGEST_TEXT)],
) -> ToolResult:
    """Change how the project stands; everybody reads it. Only the captain may."""
    wanted = status.strip().lower()
    if wanted not in set(ProjectStatus):
        raise BadArguments(f"set_project_status: 'status' must be one of {_STATUSES}")
    said = _said("set_project_status", "sentence", sentence)
    await _of(context).set_status(ProjectStatus(wanted), said)
    return ToolResult(text=f"The project is {wanted} from now on.")


@tool(effects=Effects.WRITES, guard_class="project", needs="project")
async def write_down(
    context: Context,
    kind: Annotated[str, "decision, or note"],
    words: Annotated[str, "what was decided and why, in a sentence or two", Longest(LONGEST_TEXT)],
) -> ToolResult:
    """Put a decision or a note about the project into its log, for the minutes. What came of work
    that was handed over is there already.
    """
    if kind.strip().lower() not in _KINDS:
        raise BadArguments("write_down: 'kind' must be decision or note")
    said = _said("write_down", "words", words)
    await _of(context).write_down(_KINDS[kind.strip().lower()], said)
    return ToolResult(text="It is in the log.")


def _said(name: str, argument: str, words: str) -> str:
    said = " ".join(words.split())
    if not said:
        raise BadArguments(f"{name}: {argument!r} is empty")
    return said


def _of(context: Context) -> Project:
    if context.project is None:
        raise ToolError("nothing can be written into the project log from here")
    return context.project


def _row(context: Context, entry: ProjectEntry) -> str:
    at = clock(entry.at, context.now())
    if entry.kind == EntryKind.RESULT:
        return f"{at} {entry.agent} {entry.state}: {crop(entry.title, 80)}: {crop(entry.text, 160)}"
    what = f"project {entry.state}" if entry.kind == EntryKind.STATUS else entry.kind
    return f"{at} {entry.agent} {what}: {crop(entry.text, 200)}"
