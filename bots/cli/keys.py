"""`run.py keys`: list, create, rotate, revoke, reseal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bots.cli.exits import CommandError, Exit
from bots.cli.key_work import all_keys, at_desk, order
from bots.cli.person import person
from bots.cli.project import DEFAULT_CONFIG, ConfigOption, open_project
from bots.keys import showing
from bots.keys.desk import KeyDesk
from bots.keys.master import Source, source_of
from bots.keys.resealing import Resealed, give_up
from bots.keys.resealing import reseal as seal_anew
from storage.key_life import KeyState
from storage.keys import Key

ABOUT = (
    "Keys that agents and outside senders sign with: docs/KEYS.md.\n\n"
    "Agents get theirs by themselves, and new ones a week before they expire. Everything but "
    "[bold]reseal[/bold] works while the swarm is up (running agents have the new key when the "
    "command returns) and while it is down.\n\n"
    "Exit codes: 0 done, 1 refused or failed (the sentence on standard error says why), 2 not "
    "understood, 5 a swarm runs where none may."
)
_STYLES = {
    KeyState.SIGNS: "green",
    KeyState.VERIFIES: "yellow",
    KeyState.EXPIRED: "dim",
    KeyState.REVOKED: "red",
}
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output, for scripts.")]

keys = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help=ABOUT)


@keys.command("list")
def list_keys(*, as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Every key: owner, id, algorithm, made, expires, state. Never what is secret of it.

    States: [bold]signs[/bold] (its owner's present key), [bold]verifies until[/bold] (it has a
    successor), [bold]expired[/bold], [bold]revoked[/bold]. Times are UTC.
    """
    now = datetime.now(UTC)
    found = all_keys(*open_project(config))
    if as_json:
        typer.echo(json.dumps([showing.as_json(key, now) for key in found]))
    elif found:
        _print(found, now)
    else:
        typer.echo("There are no keys yet: the first start of the swarm makes them.", err=True)


@keys.command()
def create(
    sender: Annotated[str, typer.Argument(help="A name below \\[hooks.senders] in swarm.toml.")],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make the HMAC secret of an outside sender. It is shown this once and stored sealed.

    The secret alone goes to standard output, all else to standard error:
    [bold]run.py keys create github > secret[/bold].
    """
    settings, state = open_project(config)
    made = order(state, "create", {"sender": sender})
    if made is None:
        made = at_desk(settings, state, lambda desk: _create(desk, sender))
    _tell(made, as_json=as_json)


@keys.command()
def rotate(
    owner: Annotated[str, typer.Argument(help="An agent, or an outside sender.")],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Give an agent or a sender a new key; the old one verifies for the overlap (24 h).

    A sender's secret that swarm.toml names by reference is read anew: change it there first. One
    that was made here is shown, once, on standard output.
    """
    settings, state = open_project(config)
    made = order(state, "rotate", {"owner": owner})
    if made is None:
        made = at_desk(settings, state, lambda desk: _rotate(desk, owner))
    _tell(made, as_json=as_json)


@keys.command()
def revoke(
    key: Annotated[str, typer.Argument(help="A key's id, or an owner for all that it has.")],
    reason: Annotated[str, typer.Option(help="Why; goes into the audit.")] = "",
    *,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Take a key's word from now on, everywhere, for good. There is no overlap.

    An agent gets a new key by itself; a sender stays out until you make it one. To keep an agent
    from acting at all use [bold]run.py kill[/bold].
    """
    settings, state = open_project(config)
    done = order(state, "revoke", {"key": key, "reason": reason})
    if done is None:
        done = at_desk(settings, state, lambda desk: _revoke(desk, key, reason))
    if as_json:
        typer.echo(json.dumps(done))
    else:
        typer.echo(f"Revoked {', '.join(done['revoked'])}: nothing that it signed counts any more.")


@keys.command()
def reseal(
    former: Annotated[
        str, typer.Option("--from", help="Where the former master key is, as in \\[keys] master.")
    ] = "",
    *,
    lost: Annotated[
        bool, typer.Option("--lost", help="Revoke what no master key at hand opens.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Seal every secret anew with the master key that swarm.toml names now. The swarm is down.

    [bold]run.py keys reseal --from file:old.key[/bold] after a change of master key;
    [bold]--lost[/bold] when the former one is gone for good.
    """
    if not former and not lost:
        raise CommandError("say where the former master key is (--from), or --lost", Exit.USAGE)
    settings, state = open_project(config)
    source = source_of(settings, state, _anchored(former)) if former else None
    done, revoked = at_desk(settings, state, lambda desk: _reseal(desk, source, lost=lost))
    left = [key.key_id for key in done.unopened if key not in revoked]
    if as_json:
        facts = {"sealed": done.count, "revoked": [k.key_id for k in revoked], "unopened": left}
        typer.echo(json.dumps(facts))
    else:
        typer.echo(f"Sealed anew: {done.count}. Revoked: {len(revoked)}.")
    living = [k for k in done.unopened if k.life.may_verify(datetime.now(UTC)) and k not in revoked]
    if living:
        names = ", ".join(key.key_id for key in living)
        raise CommandError(f"No master key at hand opens {names}; --lost revokes them.")


async def _create(desk: KeyDesk, sender: str) -> dict[str, Any]:
    return showing.made_as_json(await desk.create(sender, person()), desk.keystore.clock())


async def _rotate(desk: KeyDesk, owner: str) -> dict[str, Any]:
    return showing.made_as_json(await desk.rotate(owner, person()), desk.keystore.clock())


async def _revoke(desk: KeyDesk, key: str, reason: str) -> dict[str, Any]:
    return showing.revoked_as_json(await desk.revoke(key, person(), reason))


async def _reseal(
    desk: KeyDesk, former: Source | None, *, lost: bool
) -> tuple[Resealed, list[Key]]:
    done = await seal_anew(desk.keystore, former, person())
    revoked = await give_up(desk.keystore, done.unopened, person()) if lost else []
    return done, revoked


def _anchored(reference: str) -> str:
    """A path on the command line is seen from where the command was typed."""
    scheme, _, path = reference.partition(":")
    return f"file:{Path(path).expanduser().absolute()}" if scheme == "file" else reference


def _tell(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(made))
        return
    until = showing.day_and_time(datetime.fromisoformat(made["expires_at"]))
    typer.echo(f"{made['owner']} signs with {made['key_id']}, until {until} UTC.", err=True)
    if "secret" in made:
        typer.echo("Its secret, shown this once:", err=True)
        typer.echo(made["secret"])


def _print(found: Sequence[Key], now: datetime) -> None:
    console = Console()
    if not console.is_terminal:
        # A file or a pipe has no width: rows are not to be broken for it.
        console = Console(width=200)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("owner", "key", "algorithm", "made", "expires", "state"):
        table.add_column(column)
    for key in found:
        style = _STYLES[key.life.state(now)]
        table.add_row(
            escape(key.owner),
            escape(key.key_id),
            str(key.alg),
            showing.day_and_time(key.created_at),
            showing.day_and_time(key.expires_at),
            f"[{style}]{escape(showing.in_words(key, now))}[/]",
        )
    console.print(table)
