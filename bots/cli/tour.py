"""`run.py tour`: the whole story in half a minute, without hands."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bots.cli.control import NoAnswer
from bots.cli.exits import CommandError, Exit
from bots.cli.project import ROOT
from bots.replay.connection import Gone
from bots.replay.parse import parse
from bots.tour.guest import NoReply
from bots.tour.questions import derive, read
from bots.tour.sandbox import Sandbox, SandboxFailed
from bots.tour.story import CHANNEL, Plot, Story
from bots.tour.teller import Teller

SCRIPT = ROOT / "prompts" / "tour"
NEXT = """\
Now you: [bold]python3 run.py up[/bold] starts a swarm of your own and prints its IRC port; any \
IRC client will do.
Then [bold]python3 run.py replay LOG --channel '#ubuntu'[/bold] lets a day happen again, and \
[bold]python3 run.py kill[/bold] is always in reach."""


def tour(
    *,
    log: Annotated[
        Path | None,
        typer.Option(help="Replay this channel log instead, and ask about what is in it."),
    ] = None,
    questions: Annotated[
        Path | None,
        typer.Option(help="Ask these instead; a file like prompts/tour/questions.toml."),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the folder with store and logs, and say where.")
    ] = False,
) -> None:
    """Show everything once: a swarm starts, hears people talk, answers, is killed, resumes, stops.

    Runs in a temporary folder on free ports, so a swarm of yours goes on undisturbed. Prints what
    was asked and the very lines that came back, and checks each. Exit code 1 when anything did not
    hold. Nothing is left running, also after Ctrl-C.
    """
    began_s = time.monotonic()
    teller = Teller(Console(highlight=False))
    folder = Path(tempfile.mkdtemp(prefix="parley-tour-"))
    try:
        sandbox = Sandbox(folder, (SCRIPT / "swarm.toml").read_text(encoding="utf-8"))
        plot = _plot(log, questions, [agent.nick for agent in sandbox.settings.agents])
        story = Story(sandbox, plot, teller)
        asyncio.run(_tell(story))
    except asyncio.CancelledError:
        raise typer.Exit(Exit.INTERRUPTED) from None
    except (SandboxFailed, NoReply, NoAnswer, Gone, OSError) as error:
        raise CommandError(f"The tour could not go on: {error}") from None
    finally:
        if keep:
            typer.echo(f"Kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    took_s = time.monotonic() - began_s
    if teller.failures:
        wrong = "; ".join(teller.failures)
        raise CommandError(f"The tour failed, {len(teller.failures)} things did not hold: {wrong}")
    teller.end([f"[bold]Everything held[/bold] in {took_s:.0f} s: {story.summary()}.", NEXT])


def _plot(log: Path | None, questions: Path | None, agents: list[str]) -> Plot:
    """What is replayed and asked; raises `CommandError` or `SandboxFailed`."""
    path = log or SCRIPT / "conversation.txt"
    try:
        events = parse(path.read_text(encoding="utf-8", errors="replace").split("\n")).events
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror}", Exit.USAGE) from None
    if not events:
        raise CommandError(f"{path}: no line of it looks like a channel log", Exit.USAGE)
    if log is None:
        asked = read(questions or SCRIPT / "questions.toml")
        return Plot("a morning at a small radio station", events, asked)
    asked = read(questions) if questions else derive(events, agents, CHANNEL)
    if not asked:
        raise CommandError(f"{path}: nobody in it can be asked for by a plain nick", Exit.USAGE)
    return Plot(path.name, events, asked)


async def _tell(story: Story) -> None:
    """The story, and the end of its swarm whatever happens."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    try:
        await story.tell()
    finally:
        await story.sandbox.stop()
