"""The commands about workflows: begin a run, see how far it is, end it. Operators' alone."""

from __future__ import annotations

from typing import Any, Final

from bots.commands.asked import Asked
from bots.commands.reading import at_most_one, one
from bots.commands.registry import Arguments, Command, Desk, Kind, Option, Unclear
from bots.control.operators import NotAnOperator
from bots.workflows.beginning import CannotBegin
from bots.workflows.telling import board
from storage import workflows
from storage.unit import Unit
from storage.workflow_states import FINAL
from storage.workflow_tables import WorkflowRun
from storage.workflows import StepRow

_SHOWN: Final = 10


async def _begin(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    try:
        by = desk.operators.vouch(asked.evidence)
        run = await desk.beginnings.begin(
            arguments["name"],
            arguments.get("inputs", ""),
            by=f"{asked.sender} ({by})",
            key=asked.interaction or f"{asked.network}:{asked.message_id}",
            trace_id=asked.trace_id,
        )
    except (NotAnOperator, CannotBegin) as error:
        return f"No: {error}."
    shown = f"; {run.board.partition(':')[2]} shows how far it is" if run.board else ""
    return f"{run.code} begins{shown}."


async def _show(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    try:
        desk.operators.vouch(asked.evidence)
    except NotAnOperator as error:
        return f"No: {error}."
    if "code" not in arguments:
        found = await desk.store.read(lambda unit: workflows.recent(unit, _SHOWN))
        return "\n".join(map(_in_a_line, found)) or "No workflow was run yet."
    code = arguments["code"]

    async def read(unit: Unit) -> tuple[WorkflowRun, list[StepRow]] | None:
        run = await workflows.by_code(unit, code)
        return None if run is None or run.id is None else (run, await workflows.tasks(unit, run.id))

    known = await desk.store.read(read)
    if known is None:
        raise Unclear(f"There is no run {code!r}.")
    return board(*known)


async def _end(desk: Desk, asked: Asked, arguments: Arguments) -> str:
    try:
        by = desk.operators.vouch(asked.evidence)
    except NotAnOperator as error:
        return f"No: {error}."
    code = arguments["code"]
    run = await desk.beginnings.end(code, f"{asked.sender} ({by})")
    if run is None:
        raise Unclear(f"There is no run {code!r}.")
    if run.state in FINAL:
        return f"{run.code} is {run.state} already."
    return f"{run.code} will end: what is under way is stopped, what was done is made up for."


def _in_a_line(run: WorkflowRun) -> str:
    why = f": {run.why}" if run.why else ""
    return f"{run.code} {run.name} is {run.state}{why}"


def _name_and_inputs(words: str) -> dict[str, Any] | None:
    """``research-brief topic=wireless days=3``: which one, and its inputs."""
    name, _, inputs = words.strip().partition(" ")
    given = {"name": name, "inputs": inputs.strip()}
    return {key: value for key, value in given.items() if value} if name else None


WORKFLOWS = (
    Command(
        name="workflow",
        usage="NAME [INPUT=VALUE …]",
        summary="begin a workflow",
        options=(
            Option("name", "Such as research-brief", Kind.CODE, required=True),
            Option("inputs", "What it asks for: topic=wireless days=3"),
        ),
        read=_name_and_inputs,
        run=_begin,
        operators=True,
    ),
    Command(
        name="workflows",
        usage="[CODE]",
        summary="how far workflows are",
        options=(Option("code", "One run, step by step: WF-12", Kind.CODE),),
        read=at_most_one("code"),
        run=_show,
        operators=True,
        private=True,
    ),
    Command(
        name="end-workflow",
        usage="CODE",
        summary="end a run of a workflow, and make up for what it did",
        options=(Option("code", "Such as WF-12", Kind.CODE, required=True),),
        read=one("code"),
        run=_end,
        operators=True,
    ),
)
