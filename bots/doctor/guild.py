"""Looks at the bots on Discord: tokens, intents, the guild, and what they may do there. Connects
nobody: REST alone, so that a swarm that is up is not disturbed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping

from pydantic import SecretStr

from bots.discord.checkup import Checkup, check
from bots.discord.config import DiscordConfig
from bots.discord.links import PORTAL
from bots.doctor.finding import Finding, fail, ok, warn
from bots.sandbox.tokens import user_of
from bots.secrets import resolve_each
from bots.settings import Settings
from bots.state import StateFolder
from bots.supervisor.guild import wants_sandbox
from bots.swarm_settings import AgentSettings

_ABOUT = "discord"
_STEPS = "the steps, and what each is for: docs/DISCORD.md"
_OWN = f"give each agent an application, and a token, of its own: {PORTAL}"


async def guild(settings: Settings, state: StateFolder) -> AsyncIterator[Finding]:
    """One finding for each bot, and one for each trouble that it has."""
    agents = [a for a in settings.agents if "discord" in a.transports]
    if not agents:
        return
    if wants_sandbox(settings):
        yield ok(_ABOUT, "no tokens: the sandbox guild will serve")
        return
    without = [a.name for a in agents if a.discord.token is None]
    if without:
        yield warn(
            _ABOUT,
            f"no token for {', '.join(without)}: they are not on Discord",
            "name one by agents.NAME.discord.token, or take discord out of their transports",
        )
    tokens = _tokens(agents)
    good: dict[str, str] = {}
    for name, token in tokens.items():
        try:
            good[name] = str(user_of(token))
        except ValueError as error:
            mend = f"make a new one at {PORTAL} (Bot, Reset Token)"
            yield fail(_ABOUT, f"agents.{name}.discord.token: {error}", mend)
    for finding in _shared(good, tokens):
        yield finding
    configs = [_config(settings, state, a, tokens[a.name]) for a in agents if a.name in good]
    for config, found in zip(configs, await asyncio.gather(*map(check, configs)), strict=True):
        for finding in _told(config.agent, found):
            yield finding


def _tokens(agents: list[AgentSettings]) -> dict[str, str]:
    """By agent; one that cannot be had is a finding of `configuration.secrets`."""
    named = {a.name: a.discord.token for a in agents if a.discord.token is not None}
    found, _ = resolve_each(named.values())
    return {name: found[token] for name, token in named.items() if token in found}


def _shared(bots: Mapping[str, str], tokens: Mapping[str, str]) -> Iterator[Finding]:
    """A bot has one login, whichever of its tokens is used; equal tokens are found elsewhere."""
    for bot in sorted(set(bots.values())):
        names = [name for name, other in bots.items() if other == bot]
        if len({tokens[name] for name in names}) > 1:
            yield fail(_ABOUT, f"{' and '.join(names)} have the same bot ({bot})", _OWN)


def _config(
    settings: Settings, state: StateFolder, agent: AgentSettings, token: str
) -> DiscordConfig:
    return DiscordConfig(
        agent=agent.name,
        token=SecretStr(token),
        api_base=settings.discord.api_base,
        gateway=settings.discord.gateway,
        guild=settings.discord.guild,
        wanted=settings.channels_of(agent),
        identify_file=state.identifies_of(agent.name),
    )


def _told(agent: str, found: Checkup) -> Iterator[Finding]:
    for trouble in found.troubles:
        yield fail(_ABOUT, f"{agent}: {trouble}", _STEPS)
    if not found.troubles:
        yield ok(_ABOUT, f"{agent} is {found.name}, application {found.application}")
