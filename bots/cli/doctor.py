"""`run.py doctor`: what is wrong, and how to mend it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bots.cli.exits import Exit
from bots.cli.project import DEFAULT_CONFIG, ROOT, ConfigOption
from bots.doctor.finding import Finding, Level
from bots.doctor.round import examine

COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One list, for scripts.")] = False,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask the vendors of models whether keys are good.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Look at Python, packages, settings, tokens, permissions, disk, clock, services and brains.

    Works while the swarm is up and while it is down, and changes nothing. Ends with 1 when
    something fails; a warning alone ends with 0.
    """
    findings = asyncio.run(_round(config, show=not as_json, online=online))
    count = Counter(finding.level for finding in findings)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        typer.echo(f"{count[Level.OK]} ok, {count[Level.WARN]} warn, {count[Level.FAIL]} fail")
    raise typer.Exit(Exit.FAILED if count[Level.FAIL] else Exit.OK)


async def _round(config: Path, *, show: bool, online: bool) -> list[Finding]:
    console = Console()
    findings: list[Finding] = []
    async for finding in examine(config, ROOT, datetime.now(UTC), online=online):
        findings.append(finding)
        if show:
            _show(console, finding)
    return findings


def _show(console: Console, finding: Finding) -> None:
    colour = COLOURS[finding.level]
    console.print(f"{finding.level.value:<5}", style=colour, end="")
    console.print(f"{finding.about:<13} {finding.says}", markup=False, highlight=False)
    if finding.mend:
        console.print(f"{'':18} -> {finding.mend}", markup=False, highlight=False, style="bold")
