"""up: the swarm, in this process or in one that goes on without a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bots.cli.browsing import open_page
from bots.cli.control import NoAnswer, Supervisor
from bots.cli.ending import DOWN_WITHIN_S
from bots.cli.exits import CommandError, Exit
from bots.cli.project import DEFAULT_CONFIG, ROOT, ConfigOption, open_project
from bots.cli.showing import print_status
from bots.state import StateFolder
from bots.supervisor.folder_lock import is_locked

READY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.05


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
            open_page(Supervisor.require(state).get("/status"))
    else:
        # Late, as in `app`: who detaches loads no supervisor, the process that it starts does.
        staying = import_module("bots.cli.staying")
        staying.stay(staying.Plan(settings, state, names, sandbox_users, opened=opened))


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
            time.sleep(LOOK_EVERY_S)
        else:
            raise CommandError("Not everybody is ready after a minute; `status` shows who is not.")
    print_status(status)
    bad = [a["name"] for a in status["agents"] if a["state"] not in ("ready", "killed", "degraded")]
    if bad:
        raise CommandError(f"Running, but not well: {', '.join(bad)}.")
