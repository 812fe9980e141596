"""The guild that the bots live in: Discord's own, any Discord-compatible server, or the sandbox."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bots.sandbox.snowflake import named
from bots.sandbox.tokens import token_of, user_of
from bots.secrets import SecretError, resolve
from bots.settings import Settings, SettingsError
from bots.state import write_private
from bots.supervisor.ports import LOOPBACK
from bots.supervisor.service import Program

#: the person who may do everything in the sandbox guild
FIRST_USER = "you"
GUILD = "parley"
_PRIVILEGED = ["message_content", "members", "presences"]


@dataclass(frozen=True)
class GuildUser:
    """A person in the sandbox guild."""

    name: str
    token: str = field(repr=False)
    operator: bool = False


@dataclass(frozen=True, kw_only=True)
class Guild:
    """Where the bots connect, and with which tokens."""

    #: REST root and gateway; empty: Discord's own
    api: str = ""
    gateway: str = ""
    #: id of the guild, empty when it is the one that the bots are in
    id: str = ""
    #: agent → bot token
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: people of the sandbox guild; nobody elsewhere
    users: tuple[GuildUser, ...] = ()
    #: roles that steer besides the configured ones
    operator_roles: tuple[str, ...] = ()

    @property
    def is_sandbox(self) -> bool:
        return bool(self.users)

    @property
    def agents(self) -> dict[str, str]:
        """Bot's user id → agent."""
        return {str(user_of(token)): name for name, token in self.tokens.items()}


def wants_sandbox(settings: Settings) -> bool:
    """No token, no other server: the sandbox guild serves."""
    return (
        settings.sandbox.discord
        and not settings.discord.api_base
        and any("discord" in a.transports for a in settings.agents)
        and not any(a.discord.token for a in settings.agents)
    )


def outside(settings: Settings) -> Guild:
    """The guild that `swarm.toml` names; raises `SettingsError` for a token that two agents share.

    An agent whose token cannot be had says so itself, when it is born.
    """
    tokens: dict[str, str] = {}
    for agent in settings.agents:
        if agent.discord.token is None or "discord" not in agent.transports:
            continue
        try:
            token = resolve(agent.discord.token)
            identity = user_of(token)
        except SecretError:
            continue
        except ValueError as error:
            raise SettingsError(f"agents.{agent.name}.discord.token: {error}") from None
        other = next((n for n, t in tokens.items() if user_of(t) == identity), None)
        if other is not None:
            raise SettingsError(
                f"{other} and {agent.name} have the same Discord bot: one login would throw the "
                "other out. Give each agent an application, and a token, of its own"
            )
        tokens[agent.name] = token
    discord = settings.discord
    return Guild(api=discord.api_base, gateway=discord.gateway, id=discord.guild, tokens=tokens)


def sandbox(settings: Settings, port: int, ordinary_users: int) -> Guild:
    """The sandbox guild on this port, with new tokens for the bots and for people."""
    people = [GuildUser(FIRST_USER, token_of(named("user", FIRST_USER)), operator=True)]
    for number in range(1, ordinary_users + 1):
        name = f"guest{number}"
        people.append(GuildUser(name, token_of(named("user", name))))
    return Guild(
        api=f"http://{LOOPBACK}:{port}/api/v10",
        gateway=f"ws://{LOOPBACK}:{port}/gateway",
        id=str(named("guild", GUILD)),
        tokens={
            a.name: token_of(named("bot", a.name))
            for a in settings.agents
            if "discord" in a.transports
        },
        users=tuple(people),
        operator_roles=(str(named("role", "operators")),),
    )


def sandbox_program(settings: Settings, guild: Guild, folder: Path, port: int) -> Program:
    """The sandbox guild's process; what it must know is written to a private file in `folder`."""
    config = folder / "guild.json"
    write_private(config, json.dumps(_layout(settings, guild, port), indent=1))
    command = [sys.executable, "-P", "-m", "bots.sandbox", "--config", str(config)]
    return Program("discord", command, port, is_ours=True)


def _layout(settings: Settings, guild: Guild, port: int) -> dict[str, Any]:
    categories: dict[str, list[dict[str, str]]] = {}
    for name, topic, category in channels(settings):
        categories.setdefault(category, []).append({"name": name, "topic": topic})
    return {
        "port": port,
        "guild": {"name": GUILD},
        "channels": categories.pop("", []),
        "categories": [{"name": c, "channels": inside} for c, inside in categories.items()],
        "bots": [
            {"name": agent, "token": token, "intents": _PRIVILEGED}
            for agent, token in guild.tokens.items()
        ],
        "users": [{"name": u.name, "token": u.token, "operator": u.operator} for u in guild.users],
    }


def channels(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Every channel of `swarm.toml`, as Discord names it: name, topic, category."""
    known = {c.name.lower() for c in settings.channels}
    for channel in settings.channels:
        yield channel.name.lower().lstrip("#"), channel.topic, channel.category
    for agent in settings.agents:
        for name in agent.channels:
            if name.lower() not in known:
                known.add(name.lower())
                yield name.lower().lstrip("#"), "", ""
