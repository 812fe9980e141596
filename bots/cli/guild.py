"""guild: categories and channels on Discord as swarm.toml has them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from bots.cli.control import NoAnswer, Supervisor
from bots.cli.exits import CommandError, Exit
from bots.cli.project import DEFAULT_CONFIG, ConfigOption, open_project
from bots.discord.laying import LayoutRefused, entered
from bots.discord.layout import Plan, Wanted, plan
from bots.secrets import SecretError, resolve
from bots.settings import Settings
from bots.state import StateFolder
from bots.supervisor.guild import channels

guild = typer.Typer(no_args_is_help=True)


@dataclass(frozen=True)
class Place:
    """Where the guild is, and the token that changes it."""

    bot: str
    token: str = field(repr=False)
    #: REST root, empty for Discord's own
    api: str = ""
    guild: str = ""


@guild.command("plan")
def show_plan(
    *,
    check: Annotated[bool, typer.Option("--check", help="End with 1 if something is missing.")] = (
        False
    ),
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Print what `apply` would do: one line a step. Changes nothing.

    Asks the guild of the running swarm, the sandbox's too, else the one that swarm.toml names.
    Channels that swarm.toml does not know are named and left alone.
    """
    planned = asyncio.run(_planned(*_where(config)))
    _print(planned)
    if check and planned.steps:
        raise typer.Exit(Exit.FAILED)


@guild.command("apply")
def carry_out(*, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Create what is missing: categories and channels; move channels, set topics.

    Nothing is deleted or renamed; a second run changes nothing. Needs the permission Manage
    Channels for the captain's bot.
    """
    asyncio.run(_apply(*_where(config)))


async def _planned(settings: Settings, place: Place) -> Plan:
    try:
        async with _entered(place) as there:
            return plan(wanted(settings), await there.present())
    except LayoutRefused as error:
        raise CommandError(str(error)) from None


async def _apply(settings: Settings, place: Place) -> None:
    try:
        async with _entered(place) as there:
            planned = plan(wanted(settings), await there.present())
            for step in planned.steps:
                await there.carry_out(step)
                typer.echo(f"done: {step}")
    except LayoutRefused as error:
        raise CommandError(str(error)) from None
    if not planned.steps:
        typer.echo("Nothing to do: the guild has every channel of swarm.toml.")


def _entered(place: Place) -> Any:
    return entered(place.token, guild=place.guild, api=place.api, bot=place.bot)


def wanted(settings: Settings) -> list[Wanted]:
    """The channels of `swarm.toml` by their names on Discord."""
    return [Wanted(name, topic, category) for name, topic, category in channels(settings)]


def _print(planned: Plan) -> None:
    for step in planned.steps:
        typer.echo(str(step))
    if not planned.steps:
        typer.echo("Nothing to do: the guild has every channel of swarm.toml.")
    if planned.strangers:
        typer.echo(f"Left alone, for swarm.toml does not name them: {', '.join(planned.strangers)}")


def _where(config: Path) -> tuple[Settings, Place]:
    settings, state = open_project(config)
    captain = settings.captain
    reference = settings.agent(captain).discord.token
    if reference is not None:
        try:
            token = resolve(reference)
        except SecretError as error:
            raise CommandError(f"agents.{captain}.discord.token = {error}") from None
        discord = settings.discord
        return settings, Place(captain, token, discord.api_base, discord.guild)
    return settings, _sandbox(captain, state)


def _sandbox(captain: str, state: StateFolder) -> Place:
    """The guild that runs beside the swarm of this state folder, and the captain's token for it."""
    supervisor = Supervisor.find(state)
    if supervisor is None:
        raise CommandError(
            f"There is no guild to look at: {captain} has no Discord token (agents.{captain}."
            "discord.token), and no swarm with a sandbox guild runs from this state folder.",
            Exit.NOT_RUNNING,
        )
    try:
        told = supervisor.get("/status")["discord"]
        bots = json.loads((state.secrets / "guild.json").read_text(encoding="utf-8"))["bots"]
    except NoAnswer as error:
        raise CommandError(str(error)) from None
    except (OSError, ValueError, KeyError):
        raise CommandError("The running swarm has no sandbox guild.") from None
    token = next((b["token"] for b in bots if b["name"] == captain), None)
    if not told or token is None:
        raise CommandError("The running swarm has no sandbox guild.")
    return Place(captain, token, told["api"] or "", told["guild"] or "")
