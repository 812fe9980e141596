"""down, restart: what ends processes of a running swarm."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console

from bots.cli.control import NoAnswer, Supervisor
from bots.cli.exits import CommandError
from bots.cli.project import DEFAULT_CONFIG, ConfigOption, open_project

DOWN_WITHIN_S = 15.0


def down(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Stop the swarm in order: agents say goodbye, then the servers end.

    Exit code 3 when none runs.
    """
    _, state = open_project(config)
    supervisor = Supervisor.require(state)
    with Console(stderr=True).status("stopping"):
        with suppress(NoAnswer):
            supervisor.post("/control/stop", {})
        if not supervisor.wait_until_gone(DOWN_WITHIN_S):
            _end(supervisor)
    typer.echo("The swarm has stopped.")


def restart(
    agent: Annotated[str, typer.Argument(help="Name of the agent; all when left out.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Give an agent (or all) a new process, also one that had given up."""
    _, state = open_project(config)
    try:
        answer = Supervisor.require(state).post(
            "/control/restart", {"agent": agent} if agent not in {"", "all"} else {}
        )
    except NoAnswer as error:
        raise CommandError(str(error)) from None
    typer.echo(f"Restarting {', '.join(answer['restarting'])}.")


def _end(supervisor: Supervisor) -> None:
    """An orderly stop did not come: end the process; whatever it started dies with it."""
    os.kill(supervisor.pid, signal.SIGTERM)
    if not supervisor.wait_until_gone(5):
        os.kill(supervisor.pid, signal.SIGKILL)
        supervisor.wait_until_gone(5)
