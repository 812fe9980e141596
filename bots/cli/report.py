"""`run.py report`: what the swarm cost people, read from the store, with the swarm up or down."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from bots.cli.exits import CommandError, Exit
from bots.cli.project import DEFAULT_CONFIG, ConfigOption, open_project
from bots.people.expenses import Expenses, Month, NoMonth, as_json, in_lines
from bots.people.ledger import expenses as read
from bots.settings import Settings
from bots.state import StateFolder, database_url
from storage.errors import StorageError
from storage.store import Store

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
    found = _read(*open_project(config), wanted)
    if raw:
        typer.echo(json.dumps(as_json(found), ensure_ascii=False))
    else:
        typer.echo("\n".join(in_lines(found)))


def _read(settings: Settings, state: StateFolder, month: Month) -> Expenses:
    if not settings.swarm.database_url and not state.database.exists():
        return Expenses(month=month, done=())

    async def reading() -> Expenses:
        store = await Store.open(database_url(settings, state))
        try:
            return await store.read(lambda unit: read(unit, month))
        finally:
            await store.close()

    try:
        return asyncio.run(reading())
    except StorageError as error:
        raise CommandError(str(error)) from None
