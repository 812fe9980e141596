"""`run.py test`: every check, one after the other."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Annotated

import typer

from bots.cli.exits import Exit
from bots.cli.project import ROOT
from bots.settings import environment_without

#: name, arguments for this interpreter
CHECKS = (
    ("ruff check", ("-m", "ruff", "check", ".")),
    ("ruff format", ("-m", "ruff", "format", "--check", ".")),
    ("mypy", ("-m", "mypy")),
    ("import-linter", ("-c", "from importlinter.cli import lint_imports_command as run; run()")),
)
PYTEST = ("-m", "pytest")
#: the slowest are named, for the whole is to stay near ten minutes
SLOWEST = ("--durations=15",)
COVERAGE = ("--cov", "--cov-report=term:skip-covered", "-m", "not benchmark")
#: a file's tests stay together, as they share servers; acceptance tests wait more than they compute
#: and come first, in the order of the folders: else the longest one runs alone at the end
SIDE_BY_SIDE = ("--numprocesses=4", "--dist=loadfile", "--no-loadscope-reorder")


def test(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(help="Handed to pytest as they are; then pytest alone runs."),
    ] = None,  # noqa: PT028 - a command named test, no test
) -> None:
    """Run ruff, mypy, import-linter and pytest with coverage.

    Ends with 1 when any of them failed. With arguments, such as [bold]-k backoff[/bold] or a
    path, pytest runs alone, without coverage.
    """
    if arguments:
        raise typer.Exit(Exit.FAILED if _run((*PYTEST, *arguments)) else Exit.OK)
    failed = [name for name, words in CHECKS if _announce(name, words)]
    if failed:
        typer.secho(f"failed before pytest: {', '.join(failed)}", fg="red")
    pytest_failed = _announce("pytest", (*PYTEST, *SIDE_BY_SIDE, *SLOWEST, *COVERAGE))
    raise typer.Exit(Exit.FAILED if failed or pytest_failed else Exit.OK)


# Options that are pytest's, not ours, pass through unread.
test.context_settings = {  # type: ignore[attr-defined]
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
}


def _announce(name: str, words: tuple[str, ...]) -> bool:
    """Run one tool with its own output; True when it failed."""
    typer.secho(f"--- {name}", bold=True)
    started_s = time.monotonic()
    failed = bool(_run(words))
    if name != "pytest":
        typer.echo(f"{name}: {'FAILED' if failed else 'ok'}, {time.monotonic() - started_s:.1f} s")
    return failed


def _run(words: tuple[str, ...]) -> int:
    sys.stdout.flush()
    # Four workers and hundreds of child processes must not each compile every module anew.
    environment = environment_without("PYTHONDONTWRITEBYTECODE")
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
