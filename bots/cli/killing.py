"""kill, resume, sign: the operator's hand on the command line."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from bots.cli.control import NoAnswer, Supervisor
from bots.cli.exits import CommandError
from bots.cli.person import person
from bots.cli.project import DEFAULT_CONFIG, ConfigOption, open_project
from bots.control.signatures import sign as sign_words
from bots.control.signatures import signing_key
from bots.settings import Settings
from bots.state import StateFolder, database_url
from storage import latch as latch_rows
from storage.errors import StorageError
from storage.latch import Latch, LatchFile
from storage.store import Store

_ROW_WITHIN_S = 3.0


def kill(
    agent: Annotated[str, typer.Argument(help="Name of the agent, or all.")] = "all",
    reason: Annotated[str, typer.Option(help="Why; goes into status and audit.")] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The confirmations as JSON.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Stop an agent, or all, at once. Works whatever else is broken, and survives a restart.

    Running work is cancelled; killed agents stay connected and answer status and resume only.
    """
    settings, state = open_project(config)
    if agent != "all":
        settings.agent(agent)
    by, now = person(), datetime.now(UTC)
    state.create()
    # The file first: it needs nobody, and every process looks at it.
    LatchFile(state.latch).kill(agent, by, "command line", reason, now)
    supervisor = Supervisor.find(state)
    if supervisor is None:
        _write_row(settings, state, [Latch(agent, True, by, "command line", reason, now)])
        typer.echo(
            f"Noted: {agent} is killed. No swarm runs here; the next one starts killed, "
            "until `run.py resume --reason …`."
        )
        return
    body = {"scope": agent, "by": by, "door": "command line", "reason": reason}
    try:
        report = supervisor.post("/control/kill", body)
    except NoAnswer as error:
        raise CommandError(
            f"{error}. The latch file is set: every agent that lives reads it within a second."
        ) from None
    typer.echo(json.dumps(report) if as_json else report["sentence"])


def resume(
    reason: Annotated[str, typer.Option(help="Why it is safe again; required.")],
    agent: Annotated[str, typer.Argument(help="Name of the agent, or all.")] = "all",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Take a kill back. Needs a reason; `resume` (or `resume all`) also frees agents killed one by
    one.
    """
    if not reason.strip():
        raise CommandError('resume needs a reason: --reason "the loop is fixed"')
    settings, state = open_project(config)
    if agent != "all":
        settings.agent(agent)
    supervisor = Supervisor.find(state)
    if supervisor is None:
        now = datetime.now(UTC)
        LatchFile(state.latch).resume(agent, person(), "command line", reason, now)
        _write_row(settings, state, list(LatchFile(state.latch).read().values()))
        typer.echo(f"The latch is open for {agent}. No swarm runs here.")
        return
    body = {"scope": agent, "by": person(), "door": "command line", "reason": reason}
    try:
        supervisor.post("/control/resume", body)
    except NoAnswer as error:
        raise CommandError(str(error)) from None
    typer.echo(f"Resumed {agent}.")


def sign(
    command: Annotated[list[str], typer.Argument(help="The command, such as: kill all")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Sign a steering command to type on IRC: good once, for two minutes.

    For networks without accounts. Prints the whole line, prefix included.
    """
    settings, state = open_project(config)
    state.create()
    key = signing_key(state.secrets / "operator.pem")
    words = " ".join(command).removeprefix(settings.irc.command_prefix)
    typer.echo(
        settings.irc.command_prefix
        + sign_words(words, key, swarm=settings.swarm.name, now=datetime.now(UTC))
    )


def _write_row(settings: Settings, state: StateFolder, latches: list[Latch]) -> None:
    """The row, best effort: the file holds already, and the next start makes them agree."""

    async def write() -> None:
        store = await Store.open(database_url(settings, state))
        try:
            async with store.writing(durable=True) as unit:
                for latch in latches:
                    await latch_rows.write_row(unit, latch)
        finally:
            await store.close()

    async def within() -> None:
        async with asyncio.timeout(_ROW_WITHIN_S):
            await write()

    try:
        asyncio.run(within())
    except (StorageError, TimeoutError) as error:
        Console(stderr=True).print(
            f"Only the latch file says so yet, and it is enough; the database: {error}",
            markup=False,
        )
