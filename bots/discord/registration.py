"""The swarm's slash commands as Discord's picker has them: registered by one application, and only
when they differ.

Discord allows 200 creations a day and application, and a restart must not use one of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import discord

from bots.commands.registry import Command, Kind, Option
from bots.discord.refusals import FAILURES, STRANGE, sentence
from bots.irc.wire import Log
from bots.settings import Settings
from bots.state import write_private

_CHAT_INPUT: Final = 1
_STRING: Final = 3
_NUMBER: Final = 10
_LONGEST: Final = 100
#: what the deputy carries besides: with it no single bot holds the kill
DEPUTY_CARRIES: Final = frozenset({"kill", "resume"})
#: kinds that are offered while they are typed
SUGGESTED: Final = frozenset({Kind.AGENT, Kind.SCOPE, Kind.SUBJECT, Kind.CHANNEL, Kind.DAY})

Payload = dict[str, Any]


def carried_by(agent: str, settings: Settings, commands: Iterable[Command]) -> tuple[Command, ...]:
    """The commands that this agent's application registers and answers."""
    if agent == settings.captain:
        return tuple(commands)
    if agent == settings.discord.deputy:
        return tuple(c for c in commands if c.name in DEPUTY_CARRIES)
    return ()


def payload_of(command: Command) -> Payload:
    """One application command
    (https://discord.com/developers/docs/interactions/application-commands).

    Everybody sees it: who may steer is checked by us, when it is used.
    """
    who = " (operators)" if command.steering or command.operators else ""
    return {
        "type": _CHAT_INPUT,
        "name": command.slash_name,
        "description": f"{command.summary[:1].upper()}{command.summary[1:]}{who}"[:_LONGEST],
        "options": [_option(option) for option in command.options],
    }


def _option(option: Option) -> Payload:
    number = option.kind is Kind.HOURS
    shown: Payload = {
        "type": _NUMBER if number else _STRING,
        "name": option.name,
        "description": option.summary[:_LONGEST],
        "required": option.required,
    }
    if number:
        shown |= {"min_value": 0.1, "max_value": 9999}
    elif option.kind in SUGGESTED:
        shown["autocomplete"] = True
    return shown


def canonical(payloads: Iterable[Mapping[str, Any]]) -> str:
    """What matters of registered or wanted commands, the same for both, as one text.

    Discord gives them back with ids, versions and defaults that nobody asked for.
    """
    shown = sorted((_meant(p) for p in payloads), key=lambda p: (p["type"], p["name"]))
    return json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _meant(payload: Mapping[str, Any]) -> Payload:
    return {
        "type": payload.get("type", _CHAT_INPUT),
        "name": payload["name"],
        "description": payload.get("description", ""),
        "permissions": payload.get("default_member_permissions"),
        "nsfw": bool(payload.get("nsfw")),
        "options": [_meant_option(o) for o in payload.get("options") or ()],
    }


def _meant_option(option: Mapping[str, Any]) -> Payload:
    limits = {key: option[key] for key in ("min_value", "max_value") if option.get(key) is not None}
    return {
        "type": option["type"],
        "name": option["name"],
        "description": option.get("description", ""),
        "required": bool(option.get("required")),
        "autocomplete": bool(option.get("autocomplete")),
        "choices": [[c["name"], c["value"]] for c in option.get("choices") or ()],
        "options": [_meant_option(o) for o in option.get("options") or ()],
        **{key: float(value) for key, value in limits.items()},
    }


class Registration:
    """Keeps one application's commands in the guild as `commands` has them.

    What Discord was last seen to have is remembered in `file`, for the guild and the membership in
    it: who was thrown out and invited again has lost its commands.
    """

    def __init__(self, commands: Sequence[Command], file: Path, log: Log) -> None:
        self._payloads = [payload_of(command) for command in commands]
        self._file = file
        self._log = log

    async def sync(self, client: discord.Client, guild: discord.Guild) -> str:
        """Register what differs; why that did not work, empty when all is well."""
        wanted = canonical(self._payloads)
        fingerprint = hashlib.sha256(wanted.encode()).hexdigest()
        application, place = client.application_id, _membership(guild)
        if application is None:
            return "Its slash commands wait until it is logged in."
        if place and self._known().get(f"{application}:{place}") == fingerprint:
            return ""
        try:
            there = await client.http.get_guild_commands(application, guild.id)
            if canonical(there) != wanted:
                await client.http.bulk_upsert_guild_commands(application, guild.id, self._payloads)
                self._log.info("discord_commands_registered", number=len(self._payloads))
        except (*FAILURES, *STRANGE) as error:
            return f"Its slash commands were not registered: {sentence(error)}."
        if place:
            self._remember(f"{application}:{place}", fingerprint)
        return ""

    def _known(self) -> dict[str, str]:
        try:
            found: Any = json.loads(self._file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _remember(self, place: str, fingerprint: str) -> None:
        try:
            write_private(self._file, json.dumps({place: fingerprint}))
        except OSError as error:
            # The next start asks Discord again, which costs one request.
            self._log.warning("discord_fingerprint_unwritten", error=str(error))


def _membership(guild: discord.Guild) -> str:
    """The guild, and since when we are in it; empty while that is not known."""
    joined = guild.me.joined_at if guild.me is not None else None
    return f"{guild.id}:{joined.isoformat()}" if joined is not None else ""
