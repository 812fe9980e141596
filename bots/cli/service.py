"""`run.py service`: install or remove the swarm as a systemd user service."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from bots.cli.exits import CommandError
from bots.cli.project import DEFAULT_CONFIG, ROOT, ConfigOption, open_project
from bots.service import ServiceError, UserService, lingers, missing_systemd
from bots.settings import environment

service = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")


@service.command()
def install(
    *,
    start: Annotated[
        bool, typer.Option("--start/--no-start", help="Start it now and at every boot.")
    ] = True,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write the unit file, start the swarm by it, and have every boot start it."""
    unit = _service(config)
    # Not resolve(): the python of a virtual environment is a link, and must stay one.
    python = Path(sys.executable).absolute()
    try:
        path = unit.write(python=python, program=ROOT / "run.py", config=config.absolute())
        typer.echo(f"wrote {path}")
        if not start:
            typer.echo(f"start it: systemctl --user enable --now {unit.unit}")
            return
        if missing := missing_systemd():
            raise CommandError(
                f"{missing}; the unit file is written, but nothing was started. "
                "Use `run.py up --detach` here."
            )
        unit.enable()
    except ServiceError as error:
        raise CommandError(str(error)) from None
    typer.echo(f"{unit.unit} runs; its logs: run.py logs, or journalctl --user -u {unit.unit}")
    user = getpass.getuser()
    if lingers(user) is not True:
        typer.echo(f"it stops when {user} logs out, unless you run: loginctl enable-linger {user}")


@service.command()
def remove(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Stop the service and delete its unit file; the state folder stays."""
    unit = _service(config)
    try:
        removed = unit.remove()
    except ServiceError as error:
        raise CommandError(str(error)) from None
    typer.echo(f"removed {unit.path}" if removed else f"there was no {unit.path}")


def _service(config: Path) -> UserService:
    """The unit of this swarm; two swarms of one user need two names (swarm.name)."""
    settings, _ = open_project(config)
    base = environment("XDG_CONFIG_HOME")
    folder = Path(base) if base else Path.home() / ".config"
    return UserService(settings.swarm.name, folder / "systemd" / "user")
