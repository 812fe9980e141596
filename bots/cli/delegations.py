"""delegations: what was handed over, and what became of it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from bots.cli.exits import CommandError, Exit
from bots.cli.project import DEFAULT_CONFIG, ConfigOption, open_project
from bots.cli.store_work import read_store
from bots.delegating.telling import in_a_line, in_lines
from bots.hooks.answers import answer_of
from storage import delegations as rows
from storage.delegation_tables import Delegation
from storage.unit import Unit


def delegations(
    code: Annotated[
        str, typer.Argument(help="The whole tree of this one, such as D-7k2m9qxa.")
    ] = "",
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The newest so many.")] = 20,
    only_open: Annotated[bool, typer.Option("--open", help="Only what is not over.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """What was handed to agents: the newest ones, or one with all that was made for it.

    It reads the database, whether the swarm is up or not.
    """

    async def look(unit: Unit) -> list[Delegation]:
        if not code:
            return await rows.recent(unit, limit, only_open=only_open)
        found = await rows.by_code(unit, code)
        return [] if found is None else await rows.tree(unit, found.root_id or 0)

    found: list[Delegation] = read_store(*open_project(config), look, empty=[])
    if code and not found:
        raise CommandError(f"There is no delegation {code!r}.", Exit.USAGE)
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in found]))
        return
    for line in in_lines(found) if code else map(in_a_line, found):
        typer.echo(line)


def _as_json(one: Delegation) -> dict[str, Any]:
    told = answer_of(one)
    del told["ok"], told["runId"]
    return told | {
        "sender": one.sender,
        "asked_by": one.asked_by,
        "instruction": one.instruction,
        "parent": one.parent_id,
        "number": one.id,
        "claims": one.claim,
        "cost_nusd": one.cost_nusd,
        "issued_at": one.issued_at.isoformat(),
        "finished_at": one.finished_at.isoformat() if one.finished_at else None,
    }
