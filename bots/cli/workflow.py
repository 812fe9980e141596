"""`run.py workflow`: list, run, status, cancel, graph, schema."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bots.cli.exits import CommandError, Exit
from bots.cli.project import DEFAULT_CONFIG, ROOT, ConfigOption, open_project
from bots.cli.workflow_work import Desk, Found, as_json_of
from bots.workflows.beginning import BOARD, board_of
from bots.workflows.library import Library, NoSuchWorkflow
from bots.workflows.telling import line
from brain.workflows.definition import Workflow, schema
from brain.workflows.drawing import mermaid, png, svg
from brain.workflows.progress import Progress
from brain.workflows.reading import WorkflowUnreadable
from storage.workflow_states import FINAL, State

ABOUT = (
    "Work in several steps, by several agents, with people's approval where it is needed: "
    "docs/WORKFLOWS.md.\n\n"
    "Workflows are the files in prompts/workflows. All of this works while the swarm is up and "
    "while it is down: a run that is started then begins with the swarm.\n\n"
    "Exit codes: 0 done, 1 the run ended otherwise than done, 2 a workflow, an input or a code "
    "that is not understood, 3 no swarm has ever run here, 6 not over within --wait."
)
FOLDER = ROOT / "prompts" / "workflows"
SCHEMA = FOLDER / "workflow.schema.json"
_STYLES = {
    State.DONE: "green",
    State.RUNNING: "blue",
    State.GATED: "yellow",
    State.FAILED: "red",
    State.CANCELLED: "magenta",
}
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, for scripts.")]
FolderOption = Annotated[
    Path, typer.Option("--folder", help="Where the files are.", show_default="prompts/workflows")
]

workflow = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help=ABOUT)


@workflow.command("list")
def list_workflows(
    *,
    as_json: JsonOption = False,
    folder: FolderOption = FOLDER,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Every workflow, what it is for and what it asks for; mistakes with file, line and column.

    Ends with 1 when a file has mistakes: a check before a commit.
    """
    library = Library(folder, open_project(config)[0])
    mistakes = {name: library.mistakes(name) for name in library.names()}
    good = [library.read(name) for name, wrong in mistakes.items() if not wrong]
    if as_json:
        listed: list[dict[str, Any]] = [one.model_dump(mode="json") for one in good]
        listed += [{"name": name, "mistakes": w.splitlines()} for name, w in mistakes.items() if w]
        typer.echo(json.dumps(listed))
    else:
        for one in good:
            _describe(one)
        for wrong in filter(None, mistakes.values()):
            typer.echo(wrong, err=True)
    if any(mistakes.values()):
        raise typer.Exit(Exit.FAILED)


@workflow.command()
def run(
    name: Annotated[str, typer.Argument(help="A workflow: `list` names them.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", help="NAME=VALUE, as often as needed; lists with commas."),
    ] = None,
    *,
    channel: Annotated[
        str,
        typer.Option(help="Discord channel that shows how far it is; 'none' for none."),
    ] = BOARD,
    wait: Annotated[float, typer.Option(help="Seconds to wait for its end.", min=0)] = 0,
    key: Annotated[
        str, typer.Option(help="The same key again is the same run: for scripts that retry.")
    ] = "",
    as_json: JsonOption = False,
    folder: FolderOption = FOLDER,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Start a run and print its code, such as WF-12.

    With [bold]--wait[/bold] its output follows once it is over. It goes on by itself in any case,
    over restarts too; [bold]status[/bold] and Discord show how far it is.
    """
    settings, state = open_project(config)
    desk = Desk(settings, state)
    board = "" if channel == "none" else board_of(settings, channel)
    begun = desk.begin(folder, name, _pairs(inputs or []), board=board, key=key)
    if not as_json:
        typer.echo(begun.run.code)
    over = desk.wait(begun.run.code, wait) if wait else begun
    if as_json:
        typer.echo(json.dumps(as_json_of(over)))
    elif wait:
        _conclude(over)
    if wait and over.run.state != State.DONE:
        raise typer.Exit(Exit.FAILED if over.run.state in FINAL else Exit.UNFINISHED)


@workflow.command()
def status(
    code: Annotated[
        str, typer.Argument(help="A run, such as WF-12; the newest when left out.")
    ] = "",
    *,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """How far a run is, step by step; without a code, the newest twenty runs.

    States: waiting, running, gated (people decide), done, failed, skipped, cancelled.
    """
    desk = Desk(*open_project(config))
    if code:
        found = desk.find(code)
        typer.echo(json.dumps(as_json_of(found))) if as_json else _print(found)
        return
    recent = desk.recent()
    if as_json:
        typer.echo(json.dumps([as_json_of(one) for one in recent]))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("run", "workflow", "state", "started (UTC)", "by", "why"):
        table.add_column(column)
    for one in recent:
        r = one.run
        at = f"{r.started_at:%Y-%m-%d %H:%M}"
        table.add_row(r.code, r.name, _coloured(r.state), at, escape(r.started_by), escape(r.why))
    _console().print(table if recent else "Nothing was ever run here.")


@workflow.command()
def cancel(
    code: Annotated[str, typer.Argument(help="A run, such as WF-12.")],
    *,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """End a run: nothing new begins, what is under way is stopped, what was done is made up for.

    The swarm carries it out; while it is down, at its next start.
    """
    found = Desk(*open_project(config)).cancel(code)
    if found.run.state in FINAL:
        typer.echo(f"{found.run.code} is {found.run.state} already.")
    else:
        typer.echo(f"{found.run.code} will end: {found.run.cancel_by} wants it to.")


@workflow.command()
def graph(
    what: Annotated[str, typer.Argument(help="A workflow, or a run such as WF-12.")],
    *,
    form: Annotated[str, typer.Option("--format", help="mermaid, svg or png.")] = "mermaid",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; standard output else.")
    ] = None,
    folder: FolderOption = FOLDER,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw a workflow, or a run with the states of its steps.

    [bold]run.py workflow graph release-check --format png -o check.png[/bold]
    """
    settings, state = open_project(config)
    library = Library(folder, settings)
    progress: Progress | None = None
    if what in library.names():
        defined = _read(library, what)
    elif what.upper().startswith("WF-"):
        defined, progress = Desk(settings, state).drawn(what)
    else:
        defined = _read(library, what)
    match form:
        case "mermaid":
            data = mermaid(defined, progress).encode()
        case "svg":
            data = svg(defined, progress).encode()
        case "png":
            data = png(defined, progress)
        case _:
            raise CommandError(f"no format {form!r}: mermaid, svg or png", Exit.USAGE)
    if out is not None:
        out.write_bytes(data)
    elif form == "png" and sys.stdout.isatty():
        raise CommandError("a PNG is nothing for a terminal: name a file with -o", Exit.USAGE)
    else:
        sys.stdout.buffer.write(data)


@workflow.command("schema")
def print_schema(
    *, write: Annotated[bool, typer.Option("--write", help=f"Write {SCHEMA.name} anew.")] = False
) -> None:
    """The JSON schema of workflow files, for editors (yaml-language-server reads it by itself)."""
    text = json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    if write:
        SCHEMA.write_text(text, encoding="utf-8")
    else:
        typer.echo(text, nl=False)


def _read(library: Library, name: str) -> Workflow:
    try:
        return library.read(name)
    except (NoSuchWorkflow, WorkflowUnreadable) as error:
        raise CommandError(str(error), Exit.USAGE) from None


def _pairs(words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    for name, equals, _ in pairs:
        if not equals:
            raise CommandError(f"--input {name}: write NAME=VALUE", Exit.USAGE)
    return {name: value for name, _, value in pairs}


def _describe(one: Workflow) -> None:
    console = _console()
    console.print(f"[bold]{one.name}[/bold]  {escape(one.description)}", highlight=False)
    for name, wanted in one.inputs.items():
        need = "required" if wanted.required else f"else {wanted.default!r}"
        what = f"    {name}: {wanted.description} ({need})"
        console.print(escape(what), style="dim", highlight=False)


def _print(found: Found) -> None:
    run, console = found.run, _console()
    console.print(
        f"[bold]{run.code}[/bold] {run.name}: {_coloured(run.state)}, started by "
        f"{escape(run.started_by)} at {run.started_at:%Y-%m-%d %H:%M} UTC",
        highlight=False,
    )
    if run.why:
        console.print(escape(run.why), highlight=False)
    for row in found.rows:
        if row.item < 0:
            undo = "made up for " if row.undo else ""
            console.print(escape(f"  {undo}{line(row, found.rows)}"), highlight=False)
    if run.output:
        console.print(escape(f"\n{run.output}"), highlight=False)


def _conclude(over: Found) -> None:
    if over.run.state == State.DONE:
        typer.echo(over.run.output or "")
    else:
        why = f": {over.run.why}" if over.run.why else ""
        typer.echo(f"{over.run.code} is {over.run.state}{why}", err=True)


def _coloured(state: str) -> str:
    style = _STYLES.get(State(state), "dim")
    return f"[{style}]{state}[/]"


def _console() -> Console:
    console = Console()
    # A file or a pipe has no width: rows are not to be broken for it.
    return console if console.is_terminal else Console(width=200)
