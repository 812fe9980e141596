"""`run.py bench`: runs the programs in tests/benchmarks; each prints one JSON line a figure."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer
from rich.console import Console

from bots.cli.exits import CommandError, Exit
from bots.cli.project import ROOT
from bots.settings import child_environment

FOLDER = ROOT / "tests" / "benchmarks"
#: beside the programs lie modules that they share
_PROGRAM = "bench_*.py"


def bench(
    name: Annotated[
        str, typer.Argument(help="One of them, such as replay; all when left out.")
    ] = "",
    *,
    listed: Annotated[bool, typer.Option("--list", help="Only name them.")] = False,
) -> None:
    """Measure this machine and this code. Prints one JSON line a figure, on standard output.

    Each line has benchmark, figure, value, unit, target, met, machine and note. Figures are no
    tests: a missed target is reported and ends with 0, a program that breaks ends with 1. Quiet
    machines give better figures.
    """
    programs = {path.stem.removeprefix("bench_"): path for path in sorted(FOLDER.glob(_PROGRAM))}
    if listed:
        typer.echo("\n".join(programs))
        return
    if name and name not in programs:
        raise CommandError(
            f"There is no benchmark {name!r}; there are {', '.join(programs)}.", Exit.USAGE
        )
    console = Console(stderr=True)
    broken = []
    for each in [name] if name else list(programs):
        console.print(f"--- {each}", style="bold")
        done = subprocess.run(
            [sys.executable, "-m", f"tests.benchmarks.{programs[each].stem}"],
            cwd=ROOT,
            env=child_environment(),
            check=False,
        )
        if done.returncode:
            broken.append(f"{each} ended with {done.returncode}")
    if broken:
        raise CommandError(f"Not everything could be measured: {', '.join(broken)}.")
