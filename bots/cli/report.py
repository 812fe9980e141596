"""`run.py report`: what the swarm cost people, read from the store, with the swarm up or down."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from bots.cli.exits import CommandError, Exit
from bots.cli.project import DEFAULT_CONFIG, ConfigOption, open_project
from bots.cli.store_work import read_store
from bots.people.expenses import Expenses, Month, NoMonth, as_json, in_lines
from bots.people.ledger import expenses as read

ABOUT = """What the swarm cost, for people and for scripts: docs/APPROVALS.md.

Exit codes: 0 done, 1 the store cannot be read, 2 not understood.
"""

report = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help=ABOUT)


@report.callback()
def _group() -> None:
    """Keep `expenses` a word of its own while it is the only report."""


@report.command()
def expenses(
    month: Annotated[
        str, typer.Option(help="As in 2026-11 (UTC); left out: the present one.")
    ] = "",
    *,
    raw: Annotated[
        bool, typer.Option("--json", help="JSON on standard output, for scripts.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """What people paid for requests of the swarm in a month, and what it brought.

    By what they said with [bold]/complete[/bold]. Sums are given by currency; in JSON they are
    integers in millionths of its unit. Last come requests that are approved and not done yet.
    """
    try:
        wanted = Month.parse(month) if month else Month.of(datetime.now(UTC))
    except NoMonth as error:
        raise CommandError(str(error), Exit.USAGE) from None
    found = read_store(
        *open_project(config),
        lambda unit: read(unit, wanted),
        empty=Expenses(month=wanted, done=()),
    )
    if raw:
        typer.echo(json.dumps(as_json(found), ensure_ascii=False))
    else:
        typer.echo("\n".join(in_lines(found)))
