"""The command line: which command lives in which module, and what `--help` says."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module

import typer

from bots.cli.exits import CommandError, Exit
from bots.settings import SettingsError

ABOUT = """A swarm of chat bots that talk, delegate and trade. You hold the kill switch.

[bold]run.py tour[/bold] tells the whole story in half a minute, by itself.

[bold]run.py up[/bold] starts the swarm; talk to it with any IRC client on the port it prints.
"""
EXIT_CODES = (
    "Exit codes: 0 done, 1 failed, 2 not understood, 3 no swarm runs here, 4 killed (see resume), "
    "5 a swarm runs here already, 6 not done in time, 130 stopped by Ctrl-C."
)

SWARM = "The swarm"
STOP = "The kill switch"
LOOK = "Looking closer"
WORK = "Working on Parley"


@dataclass(frozen=True)
class Entry:
    """One command: the attribute `name` of `module` is its function or its typer group."""

    name: str
    module: str
    panel: str
    #: what the list of commands says; the command's own docstring says more
    summary: str


COMMANDS = (
    Entry("up", "bots.cli.running", SWARM, "Start the swarm: agents, IRC server, bus."),
    Entry("down", "bots.cli.ending", SWARM, "Stop it in order."),
    Entry(
        "status", "bots.cli.showing", SWARM, "Who is ready, deaf, hung, killed; --json for scripts."
    ),
    Entry("restart", "bots.cli.ending", SWARM, "Replace one agent's process, or everybody's."),
    Entry("workflow", "bots.cli.workflow", SWARM, "Work in several steps, with approvals."),
    Entry("logs", "bots.cli.logs", SWARM, "What the processes wrote; -f follows."),
    Entry("delegate", "bots.cli.delegate", SWARM, "Hand work to an agent and wait for the result."),
    Entry("delegations", "bots.cli.delegations", SWARM, "What was handed over; trees of it."),
    Entry("market", "bots.cli.market", SWARM, "Credits: minted, told, proved to add up."),
    Entry("kill", "bots.cli.killing", STOP, "Stop one agent or all, at once; survives a restart."),
    Entry("resume", "bots.cli.killing", STOP, "Take the kill back; needs a reason."),
    Entry("sign", "bots.cli.killing", STOP, "Sign a steering command to type on IRC."),
    Entry("keys", "bots.cli.keys", LOOK, "What agents and outside senders sign with."),
    Entry("report", "bots.cli.report", LOOK, "What people paid for the swarm in a month."),
    Entry("tour", "bots.cli.tour", LOOK, "The whole story in half a minute, without hands."),
    Entry("guild", "bots.cli.guild", LOOK, "Lay out the channels of swarm.toml on Discord."),
    Entry("replay", "bots.cli.replay", LOOK, "Speak a channel log into the IRC server."),
    Entry(
        "doctor", "bots.cli.doctor", LOOK, "Check this machine and the settings; says how to mend."
    ),
    Entry("service", "bots.cli.service", LOOK, "Keep the swarm up through reboots (systemd)."),
    Entry("test", "bots.cli.checks", WORK, "All checks: ruff, mypy, import-linter, pytest."),
    Entry("bench", "bots.cli.bench", WORK, "Measure; one JSON line a figure."),
    Entry("lock", "bots.cli.lock", WORK, "Pin the requirements anew."),
)


def main(argv: list[str] | None = None) -> int:
    """Run one command line (without the program's name) and return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    try:
        build(words)(args=words, prog_name="run.py")
    except (CommandError, SettingsError) as error:
        typer.echo(str(error), err=True)
        return error.exit_code if isinstance(error, CommandError) else Exit.USAGE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else Exit.OK
    return Exit.OK


def build(words: list[str]) -> typer.Typer:
    """The application for this command line: the named command in full, the others by name."""
    app = typer.Typer(
        help=ABOUT,
        epilog=EXIT_CODES,
        no_args_is_help=True,
        rich_markup_mode="rich",
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for entry in COMMANDS:
        _register(app, entry, wanted=words[:1] == [entry.name])
    return app


def _register(app: typer.Typer, entry: Entry, *, wanted: bool) -> None:
    # The one place that imports late. A command may need SQLAlchemy or an IRC library (0.3 s and
    # 40 MB); `--help`, and every other command, must not pay for it.
    command = getattr(import_module(entry.module), entry.name) if wanted else _only_listed
    if isinstance(command, typer.Typer):
        about = command.info.help if isinstance(command.info.help, str) else entry.summary
        app.add_typer(
            command,
            name=entry.name,
            help=about,
            short_help=entry.summary,
            rich_help_panel=entry.panel,
        )
        return
    app.command(
        entry.name,
        short_help=entry.summary,
        help=None if wanted else entry.summary,
        rich_help_panel=entry.panel,
        context_settings=getattr(command, "context_settings", None),
    )(command)


def _only_listed() -> None:
    """Stand for a command that this command line does not name."""
