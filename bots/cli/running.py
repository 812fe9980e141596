"""up, down, restart."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
import webbrowser
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.console import Console

from bots import logs
from bots.cli.control import NoAnswer, Supervisor
from bots.cli.exits import CommandError, Exit
from bots.cli.project import DEFAULT_CONFIG, ROOT, ConfigOption, open_project
from bots.cli.showing import print_status
from bots.secrets import Redactor, SecretError
from bots.settings import Settings
from bots.state import StateFolder
from bots.supervisor.ground import AlreadyRunning, is_locked
from bots.supervisor.ports import PortTaken
from bots.supervisor.service import ServiceFailed
from bots.supervisor.supervisor import Supervisor as SwarmSupervisor
from storage.errors import StorageError

READY_WITHIN_S = 60.0
DOWN_WITHIN_S = 15.0
_LOOK_EVERY_S = 0.05


def up(
    only: Annotated[
        str, typer.Option(help="Run these agents only: names with commas between them.")
    ] = "",
    *,
    sandbox_users: Annotated[
        int, typer.Option(help="Ordinary people in the sandbox guild, besides its operator.", min=0)
    ] = 0,
    opened: Annotated[
        bool, typer.Option("--open", help="Open the page in the browser once all are ready.")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once all are ready; the swarm goes on.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Start the swarm and stay until Ctrl-C, or return once it is ready with --detach.

    Starts the bus, an IRC server and a sandbox guild unless swarm.toml names others, the page, and
    every agent as a process of its own. Ctrl-C or `down` stops all of them. Exit code 5 when a
    swarm runs here already.
    """
    settings, state = open_project(config)
    names = [n.strip() for n in only.split(",") if n.strip()]
    for name in names:
        settings.agent(name)
    # What the swarm writes from here on, logs and database included, is its owner's alone.
    os.umask(0o077)
    try:
        state.create()
    except OSError as error:
        raise CommandError(
            f"The state folder {state.path} cannot be made: {error.strerror}"
        ) from None
    if is_locked(state):
        raise CommandError(
            "A swarm runs from this state folder already; `status` shows it, `down` ends it.",
            Exit.ALREADY_RUNNING,
        )
    if detach:
        _detach(only, sandbox_users, config, state)
        if opened:
            _open(Supervisor.require(state).get("/status"))
    else:
        _stay(Plan(settings, state, names, sandbox_users, opened=opened))


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


@dataclass(frozen=True)
class Plan:
    """What `up` was asked for."""

    settings: Settings
    state: StateFolder
    #: agents to run, all of them when empty
    only: list[str]
    #: ordinary people in the sandbox guild
    guests: int
    _: KW_ONLY
    #: open the page in a browser
    opened: bool


def _open(status: dict[str, Any]) -> None:
    """Show the page in the person's browser, where there are both."""
    if status["console_login"] is None:
        typer.echo("There is no page: it needs the sandbox guild and console.enabled.", err=True)
    elif not webbrowser.open(status["console_login"]):
        typer.echo("No browser could be opened; the address above does it by hand.", err=True)


def _stay(plan: Plan) -> None:
    limits = plan.settings.limits
    logs.configure(
        plan.state.log_of("supervisor"),
        bytes=limits.log_bytes,
        files=limits.log_files,
        redactor=Redactor([]),
    )
    try:
        asyncio.run(_supervise(plan))
    except AlreadyRunning as error:
        raise CommandError(str(error), Exit.ALREADY_RUNNING) from None
    except (PortTaken, ServiceFailed, StorageError, SecretError, OSError) as error:
        raise CommandError(str(error)) from None


async def _supervise(plan: Plan) -> None:
    console = Console(stderr=True)
    with console.status("starting") as shown:
        supervisor = SwarmSupervisor(
            plan.settings,
            plan.state,
            ROOT / "prompts",
            only=plan.only,
            guests=plan.guests,
            rng=random.Random(),
            log=structlog.get_logger().bind(process="supervisor"),
        )
        living = asyncio.create_task(supervisor.run())
        began_s = time.monotonic()
        while not living.done() and not supervisor.settled():
            await asyncio.sleep(_LOOK_EVERY_S)
            if time.monotonic() - began_s > READY_WITHIN_S:
                break
            shown.update(supervisor.progress_line())
    if not living.done():
        status = await supervisor.status()
        # Without a terminal somebody keeps it: `up --detach` in up.log, systemd in its journal.
        print_status(status, kept=not sys.stdout.isatty())
        if plan.opened:
            _open(status)
        console.print(
            f"Ready after {time.monotonic() - began_s:.1f} s. Ctrl-C stops the swarm, "
            "`run.py kill` its agents' work."
        )
    await living
    console.print("The swarm has stopped.")


def _detach(only: str, sandbox_users: int, config: Path, state: StateFolder) -> None:
    """Start ourselves again without a terminal and wait until everybody is ready."""
    words = [sys.executable, str(ROOT / "run.py"), "up", "--config", str(config.absolute())]
    if only:
        words += ["--only", only]
    if sandbox_users:
        words += ["--sandbox-users", str(sandbox_users)]
    output = state.log_of("up")
    with output.open("wb") as file:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            close_fds=True,
            cwd=ROOT,
        )
    try:
        _wait_until_ready(process, state, output)
    except KeyboardInterrupt:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(DOWN_WITHIN_S)
        raise


def _wait_until_ready(process: subprocess.Popen[bytes], state: StateFolder, output: Path) -> None:
    deadline_s = time.monotonic() + READY_WITHIN_S
    with Console(stderr=True).status("starting") as shown:
        while time.monotonic() < deadline_s:
            if process.poll() is not None:
                raise CommandError(
                    output.read_text(errors="replace").strip() or "The swarm ended at once."
                )
            found = Supervisor.find(state)
            if found is not None and found.pid == process.pid:
                with suppress(NoAnswer):
                    status = found.get("/status")
                    states = [a["state"] for a in status["agents"]]
                    shown.update(f"{sum(s != 'starting' for s in states)} of {len(states)} agents")
                    if states and "starting" not in states:
                        break
            time.sleep(_LOOK_EVERY_S)
        else:
            raise CommandError("Not everybody is ready after a minute; `status` shows who is not.")
    print_status(status)
    bad = [a["name"] for a in status["agents"] if a["state"] not in ("ready", "killed", "degraded")]
    if bad:
        raise CommandError(f"Running, but not well: {', '.join(bad)}.")


def _end(supervisor: Supervisor) -> None:
    """An orderly stop did not come: end the process; whatever it started dies with it."""
    os.kill(supervisor.pid, signal.SIGTERM)
    if not supervisor.wait_until_gone(5):
        os.kill(supervisor.pid, signal.SIGKILL)
        supervisor.wait_until_gone(5)
