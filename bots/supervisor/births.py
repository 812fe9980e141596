"""What an agent is born with: its lease's epoch and its own secrets, nobody else's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bots.agent.spec import AgentSpec
from bots.hooks.token import hook_token
from bots.secrets import SecretError, resolve, resolve_each
from bots.settings import Settings
from bots.state import StateFolder
from bots.supervisor.ground import Ground
from bots.supervisor.handing import NO_KEYS, Hand
from bots.supervisor.identities import Identities


class Births:
    """Makes the spec of one birth."""

    def __init__(
        self,
        settings: Settings,
        state: StateFolder,
        prompts: Path,
        identities: Identities,
        ground: Ground,
    ) -> None:
        self._settings = settings
        self._state = state
        self._prompts = prompts
        self._identities = identities
        self._ground = ground

    def spec(self, name: str, epoch: int, hand: Hand = NO_KEYS) -> dict[str, Any]:
        """The JSON form of `AgentSpec`; `hand` holds its keys. Raises `bots.secrets.SecretError`
        for a reference that leads nowhere.
        """
        settings = self._settings
        agent = settings.agent(name)
        guild = self._ground.guild
        token = guild.tokens.get(name)
        if token is None and agent.discord.token and "discord" in agent.transports:
            # Why it could not be had at the start, in the words of who looks now.
            token = resolve(agent.discord.token)
        keys, missing = _model_keys(settings, name)
        return AgentSpec(
            name=name,
            epoch=epoch,
            settings=_with_roles(settings, guild.operator_roles),
            state_folder=self._state.path,
            prompts_folder=self._prompts,
            database_url=self._ground.database_url,
            nats_url=self._ground.nats_url,
            nats_password=SecretStr(self._identities.bus_passwords[name]),
            irc_host=self._ground.irc_host,
            irc_port=self._ground.irc_port,
            irc_server_password=_secret(settings.irc.server_password),
            irc_account_password=_secret(agent.irc.password),
            discord_token=SecretStr(token) if token else None,
            discord_api=guild.api,
            discord_gateway=guild.gateway,
            discord_guild=guild.id,
            discord_agents=guild.agents,
            model_keys=keys,
            missing_keys=missing,
            mcp_secrets=_mcp_secrets(settings, name),
            people_secrets=_people_secrets(settings, name),
            local_api=self._ground.local_api,
            signing_key=hand.signer.secret if hand.signer else None,
            signing_key_id=hand.signer.key_id if hand.signer else "",
            sender_secrets=hand.senders,
            hook_token=_hook_token(settings, self._state),
            control_token=SecretStr(self._identities.door_tokens[name]),
            operator_key=self._identities.operator_key,
        ).model_dump(mode="json")


def _with_roles(settings: Settings, roles: tuple[str, ...]) -> Settings:
    """The settings with these roles among those that steer."""
    own = settings.operators
    steering = own.model_copy(update={"discord_roles": (*own.discord_roles, *roles)})
    return settings.model_copy(update={"operators": steering})


def _model_keys(settings: Settings, name: str) -> tuple[dict[str, SecretStr], dict[str, str]]:
    """The keys of the models this agent may think with; a missing one silences no agent."""
    used = settings.models_of(name).values()
    keys, missing = resolve_each(key for model in used for key in model.keys)
    return _hidden(keys), missing


def _mcp_secrets(settings: Settings, name: str) -> dict[str, SecretStr]:
    """What the MCP servers of this agent need; one that is missing is that server's trouble."""
    used = {entry.partition(".")[0] for entry in settings.agent(name).mcp}
    wanted = {ref for server in used for ref in settings.mcp[server].secrets.values()}
    found, _ = resolve_each(sorted(wanted))
    return _hidden(found)


def _people_secrets(settings: Settings, name: str) -> dict[str, SecretStr]:
    """What the captain needs to tell people; a step whose secret is missing is not taken."""
    if name != settings.captain:
        return {}
    found, _ = resolve_each(settings.escalation.secrets)
    return _hidden(found)


def model_key(settings: Settings, name: str, reference: str) -> str:
    """One API key as it is now, for an agent that thinks with a model of this key; raises
    `SecretError`.
    """
    if not any(reference in model.keys for model in settings.models_of(name).values()):
        raise SecretError(f"{reference} is no key of {name}'s models")
    return resolve(reference)


def _hidden(secrets: Mapping[str, str]) -> dict[str, SecretStr]:
    return {reference: SecretStr(secret) for reference, secret in secrets.items()}


def _hook_token(settings: Settings, state: StateFolder) -> SecretStr | None:
    """What scripts show; an agent whose reference leads nowhere lives, and lets no script in."""
    try:
        return SecretStr(hook_token(settings, state))
    except SecretError:
        return None


def _secret(reference: str | None) -> SecretStr | None:
    return SecretStr(resolve(reference)) if reference else None
