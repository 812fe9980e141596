"""`run.py market`: credits, minted, told and proved."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bots.cli.exits import CommandError, Exit
from bots.cli.market_work import Desk, minting
from bots.cli.project import DEFAULT_CONFIG, ConfigOption, open_project
from market.misread import Refused
from market.price import parse, written
from storage.errors import LedgerRefused
from storage.statements import Line

ABOUT = (
    "Credits of agents and people: docs/MARKET.md. All of it works with the swarm up or down.\n\n"
    "An account is an agent's name, [bold]person:ADDRESS[/bold] such as "
    "person:discord:user:45, or [bold]treasury[/bold], [bold]escrow[/bold], [bold]fees[/bold].\n\n"
    "Exit codes: 0 done, 1 refused, or the sums are wrong, 2 not understood, 3 no swarm has run "
    "here, 4 killed (nothing moves before `run.py resume`)."
)
AccountArgument = Annotated[str, typer.Argument(help="An agent's name, or person:ADDRESS.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, for scripts.")]

market = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help=ABOUT)


@market.command()
def mint(
    account: AccountArgument,
    amount: Annotated[str, typer.Argument(help="Credits, such as 2.50.")],
    *,
    reason: Annotated[str, typer.Option(help="Why; goes into the audit.")],
    code: Annotated[
        str, typer.Option("--id", help="The same id once more mints nothing more.")
    ] = "",
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make credits. The treasury alone does it, at the word of the operator at this machine."""
    if not reason.strip():
        raise CommandError('mint needs a reason: --reason "a start for everybody"', Exit.USAGE)
    desk = Desk(*open_project(config))
    try:
        order = minting(code, desk.account(account, of_somebody=True), parse(amount))
    except (Refused, LedgerRefused) as error:
        raise CommandError(str(error), Exit.USAGE) from None
    made, has = desk.mint(order, reason.strip())
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "id": made.code,
                    "account": made.credit,
                    "minted_microcredits": made.amount_microcredits,
                    "balance_microcredits": has,
                    "at": made.at.isoformat(),
                }
            )
        )
    else:
        sum_ = written(made.amount_microcredits)
        typer.echo(f"{made.code}: minted {sum_} for {made.credit}, which has {written(has)} now.")


@market.command()
def statement(
    account: AccountArgument,
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many.")] = 50,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """What went into an account and out of it, oldest first, with the balance after each."""
    desk = Desk(*open_project(config))
    try:
        named = desk.account(account)
    except LedgerRefused as error:
        raise CommandError(str(error), Exit.USAGE) from None
    lines = desk.statement(named, limit)
    if as_json:
        has = lines[-1].balance_microcredits if lines else 0
        found = [asdict(line) | {"at": line.at.isoformat()} for line in lines]
        facts = {"account": named, "balance_microcredits": has, "lines": found}
        typer.echo(json.dumps(facts, ensure_ascii=False))
    elif lines:
        _print(lines)
    else:
        typer.echo(f"Nothing was ever moved to or from {named}.", err=True)


@market.command()
def reconcile(*, as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Work out every sum of the ledger anew; ends with 1 and says what, when one is wrong."""
    proved = Desk(*open_project(config)).reconcile()
    if as_json:
        typer.echo(json.dumps(asdict(proved), ensure_ascii=False))
    else:
        typer.echo(
            f"{proved.accounts} accounts, {proved.transfers} transfers, {proved.holds} holds; "
            f"{written(proved.minted_microcredits)} credits minted, "
            f"{written(proved.escrow_microcredits)} of them in escrow."
        )
        for finding in proved.findings:
            typer.echo(f"WRONG: {finding}")
    if proved.findings:
        raise CommandError(f"The sums are wrong in {len(proved.findings)} places.")
    if not as_json:
        typer.echo("Every sum is right.")


@market.command()
def sweep(*, as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Give back what is held in escrow beyond its deadline."""
    back = Desk(*open_project(config)).sweep()
    if as_json:
        found: list[dict[str, Any]] = [
            {
                "hold": hold.code,
                "payer": hold.payer,
                "voided_microcredits": hold.voided_microcredits,
            }
            for hold in back
        ]
        typer.echo(json.dumps(found))
        return
    for hold in back:
        typer.echo(f"{hold.code}: {written(hold.voided_microcredits)} back to {hold.payer}.")
    if not back:
        typer.echo("Nothing is overdue.", err=True)


def _signed(microcredits: int) -> str:
    return f"{'-' if microcredits < 0 else ''}{written(abs(microcredits))}"


def _print(lines: list[Line]) -> None:
    console = Console()
    if not console.is_terminal:
        # A file or a pipe has no width: rows are not to be broken for it.
        console = Console(width=200)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("at (UTC)", "what", "from or to"):
        table.add_column(column)
    for column in ("credits", "balance"):
        table.add_column(column, justify="right")
    for column in ("id", "why"):
        table.add_column(column)
    for line in lines:
        table.add_row(
            f"{line.at:%Y-%m-%d %H:%M:%S}",
            line.kind,
            escape(line.other),
            _signed(line.amount_microcredits),
            _signed(line.balance_microcredits),
            escape(line.code),
            escape(line.reason),
        )
    console.print(table)
