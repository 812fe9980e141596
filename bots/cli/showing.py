"""status: what every process is doing, for people and for scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bots.brain_settings import OFFLINE
from bots.cli.control import NOT_RUNNING, NoAnswer, Supervisor
from bots.cli.exits import CommandError, Exit
from bots.cli.project import DEFAULT_CONFIG, ConfigOption, open_project

_STYLES = {
    "ready": "green",
    "starting": "blue",
    "degraded": "yellow",
    "deaf": "yellow",
    "hung": "red",
    "failed": "red",
    "killed": "bold red",
    "stopped": "dim",
}


def status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for scripts.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show every agent's state, and whether the swarm is killed, by whom and why.

    States: starting, ready, degraded, deaf (no connection), hung (does not answer), failed (gave
    up), killed, stopped. Exit code 3 when no swarm runs here, 4 when it is killed.
    """
    settings, state = open_project(config)
    supervisor = Supervisor.find(state)
    if supervisor is None:
        if as_json:
            stopped = [{"name": a.name, "pid": None, "state": "stopped"} for a in settings.agents]
            typer.echo(json.dumps({"swarm": settings.swarm.name, "agents": stopped}))
        raise CommandError(NOT_RUNNING, Exit.NOT_RUNNING)
    try:
        report = supervisor.get("/status")
    except NoAnswer as error:
        raise CommandError(str(error)) from None
    if as_json:
        typer.echo(json.dumps(report))
    else:
        print_status(report)
    if any(k["scope"] == "all" for k in report["killed"]):
        raise typer.Exit(Exit.KILLED)


def print_status(report: dict[str, Any], *, kept: bool = False) -> None:
    """The report of `/status` as a table; without the page's token where what is printed is `kept`
    in a log.
    """
    console = Console()
    if not console.is_terminal:
        # A file or a pipe has no width: rows are not to be broken for it.
        console = Console(width=200)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("agent", "state", "nick", "process", "MiB", "why"):
        table.add_column(column, justify="right" if column in ("process", "MiB") else "left")
    for agent in report["agents"]:
        state = agent["state"]
        table.add_row(
            agent["name"],
            f"[{_STYLES.get(state, '')}]{state}[/]",
            escape(agent["irc"] or ""),
            str(agent["pid"] or ""),
            f"{agent['pss_mb']:.0f}" if agent["pss_mb"] else "",
            # The lines below say by whom and why somebody is killed, once.
            "" if state == "killed" else escape(agent["reason"]),
        )
    console.print(table)
    for kill in report["killed"]:
        console.print(
            f"[bold red]KILLED[/] {escape(kill['scope'])} by {escape(kill['by'])} at {kill['at']}: "
            f"{escape(kill['reason']) or 'no reason given'}. "
            "`run.py resume --reason …` brings them back."
        )
    for line in _doors(report, kept=kept):
        console.print(line, highlight=False, soft_wrap=True)


def _doors(report: dict[str, Any], *, kept: bool) -> Iterator[str]:
    """Where people meet the swarm."""
    if report["console_login"] and kept:
        yield f"Page: {report['console']}  (`run.py status` shows the address that logs in)"
    elif report["console_login"]:
        yield f"Page: {report['console_login']}  (open it in a browser and say hello)"
    discord = report["discord"]
    if discord and not discord["user_token"]:
        yield f"Discord: {discord['api'] or 'Discord itself'}"
    irc = report["irc"]
    if any(agent["irc"] for agent in report["agents"]):
        yield (
            f"IRC: {irc['host']}:{irc['port']}  (any IRC client; say for example "
            "[bold]secretary: help[/] in #lobby)"
        )
    yield _brains(report)


def _brains(report: dict[str, Any]) -> str:
    named = {agent.get("brain", OFFLINE) for agent in report["agents"]} - {OFFLINE}
    if not named:
        return "Brains: offline. No language model, no key: they search, summarise and report."
    return f"Brains: {', '.join(sorted(named))}  (`!model`, `!budget`, docs/BRAINS.md)"
