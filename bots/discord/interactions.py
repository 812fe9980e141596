"""What an interaction says: which command, with which arguments, asked by whom and where."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import discord

from bots.commands.asked import Asked
from bots.commands.reading import words_of
from bots.commands.registry import Arguments, Command, Kind, Unclear
from bots.commands.steering import order_of
from bots.discord.readable import stranger
from bots.messages import DISCORD, Place, Target

_MENTION: Final = re.compile(r"<(@!?|#)(\d{1,20})>")


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Turns interactions into what commands understand."""

    #: the agent whose application is used
    agent: str
    #: bot's user id → agent
    agents: Mapping[str, str]
    #: record key (``channel:123``) → name in the record (``#lobby``)
    name_of: Callable[[str], str]
    clock: Callable[[], datetime]

    def arguments(self, command: Command, interaction: discord.Interaction) -> Arguments:
        """The options as the command's arguments; raises `Unclear` for one that is missing."""
        given = {o["name"]: o.get("value") for o in options_of(interaction)}
        read = {}
        for option in command.options:
            value = self._value(option.kind, given.get(option.name))
            if value is None and option.required:
                raise Unclear(f"/{command.slash_name} needs {option.name}: {option.summary}")
            if value is not None:
                read[option.name] = value
        return read

    def asked(
        self, command: Command, arguments: Arguments, interaction: discord.Interaction
    ) -> Asked:
        channel, session = self.place(interaction)
        words = words_of([o.name for o in command.options], arguments)
        order = order_of(command.name, arguments) if command.steering else ""
        return Asked(
            sender=self.sender(interaction),
            account=str(interaction.user.id),
            network=DISCORD,
            channel=channel,
            session=session,
            trace_id=secrets.token_hex(8),
            text=f"/{command.slash_name} {words}".strip(),
            words=order or f"{command.name} {words}".strip(),
            heard_at=self.clock(),
            roles=roles_of(interaction),
            interaction=str(interaction.id),
        )

    def sender(self, interaction: discord.Interaction) -> str:
        """Who uses it; a stranger never has an agent's name."""
        return stranger(interaction.user.name, self.agents)

    def place(self, interaction: discord.Interaction) -> tuple[str, str]:
        """Channel and session as the record has them."""
        if interaction.guild_id is None:
            person = Target(DISCORD, Place.USER, str(interaction.user.id))
            return f"nick:{self.agent}", str(person)
        channel = self.name_of(f"channel:{interaction.channel_id}")
        return channel, f"{DISCORD}:{channel}"

    def _value(self, kind: Kind, value: Any) -> str | float | None:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value) if kind is Kind.HOURS else str(value)
        text = " ".join(str(value or "").split())
        if not text:
            return None
        mention = _MENTION.fullmatch(text)
        if mention and mention[1] == "#":
            return self.name_of(f"channel:{mention[2]}")
        if mention and kind in (Kind.AGENT, Kind.SCOPE, Kind.SUBJECT):
            return self.agents.get(mention[2], text)
        if kind is Kind.CHANNEL and not text.startswith("#"):
            return f"#{text}"
        return text


def roles_of(interaction: discord.Interaction) -> tuple[str, ...]:
    """Ids of the roles of who uses it, as Discord says they are; everybody's own role counts for
    nothing.
    """
    if not isinstance(interaction.user, discord.Member):
        return ()
    return tuple(str(r.id) for r in interaction.user.roles if not r.is_default())


def name_of(interaction: discord.Interaction) -> str:
    """The command's name, or a component's custom id; empty when there is none."""
    data: Mapping[str, Any] = interaction.data or {}
    return str(data.get("name") or data.get("custom_id") or "")


def options_of(interaction: discord.Interaction) -> list[Mapping[str, Any]]:
    data: Mapping[str, Any] = interaction.data or {}
    return [o for o in data.get("options") or () if isinstance(o, dict) and "name" in o]


def focused(interaction: discord.Interaction) -> tuple[str, str]:
    """The option that is being typed, and what it holds so far."""
    option = next((o for o in options_of(interaction) if o.get("focused")), {})
    return str(option.get("name", "")), str(option.get("value", ""))
