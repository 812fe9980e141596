"""A swarm in the foreground: start it, say that it is ready, stay with it to its end.

What supervises is loaded here and nowhere else on the command line: it takes a second of a slow
processor, which nobody shall wait for who only asks a running swarm.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from dataclasses import KW_ONLY, dataclass

import structlog
from rich.console import Console

from bots import logs
from bots.cli.browsing import open_page
from bots.cli.exits import CommandError, Exit
from bots.cli.project import ROOT
from bots.cli.running import LOOK_EVERY_S, READY_WITHIN_S
from bots.cli.showing import print_status
from bots.secrets import Redactor, SecretError
from bots.settings import Settings
from bots.state import StateFolder
from bots.supervisor.folder_lock import AlreadyRunning
from bots.supervisor.ports import PortTaken
from bots.supervisor.service import ServiceFailed
from bots.supervisor.supervisor import Supervisor
from storage.errors import StorageError


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


def stay(plan: Plan) -> None:
    """Returns when the swarm has stopped; raises `CommandError` when it cannot start."""
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
        supervisor = Supervisor(
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
            await asyncio.sleep(LOOK_EVERY_S)
            if time.monotonic() - began_s > READY_WITHIN_S:
                break
            shown.update(supervisor.progress_line())
    if not living.done():
        status = await supervisor.status()
        # Without a terminal somebody keeps it: `up --detach` in up.log, systemd in its journal.
        print_status(status, kept=not sys.stdout.isatty())
        if plan.opened:
            open_page(status)
        console.print(
            f"Ready after {time.monotonic() - began_s:.1f} s. Ctrl-C stops the swarm, "
            "`run.py kill` its agents' work."
        )
    await living
    console.print("The swarm has stopped.")
