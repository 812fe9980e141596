"""What the supervisor hands to one agent process after the fork, and nothing that belongs to
another agent.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, field_serializer

from bots.settings import Settings
from bots.swarm_settings import AgentSettings


class AgentSpec(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    #: fencing epoch of this process; what an older one writes is refused
    epoch: int
    settings: Settings
    state_folder: Path
    prompts_folder: Path
    database_url: str
    nats_url: str
    nats_password: SecretStr
    irc_host: str
    irc_port: int
    irc_server_password: SecretStr | None = None
    irc_account_password: SecretStr | None = None
    #: bot token; None: it is not on Discord
    discord_token: SecretStr | None = None
    #: REST root and gateway; empty: Discord's own
    discord_api: str = ""
    discord_gateway: str = ""
    #: id of the guild to live in; empty: the one that the bot is in
    discord_guild: str = ""
    #: bot's user id → agent, for every agent on Discord
    discord_agents: dict[str, str] = {}
    #: API keys of the models it may think with, by reference; and why others cannot be had
    model_keys: dict[str, SecretStr] = {}
    missing_keys: dict[str, str] = {}
    #: what its MCP servers need, by reference
    mcp_secrets: dict[str, SecretStr] = {}
    #: what telling people takes (e-mail, webhooks), by reference; the captain's alone
    people_secrets: dict[str, SecretStr] = {}
    #: root of the local model's API; empty: none runs
    local_api: str = ""
    #: what it signs with: base64 of an Ed25519 private key, and its id. None: the supervisor has
    #: none to give now, and hands it over by the lifeline
    signing_key: SecretStr | None = None
    signing_key_id: str = ""
    #: key id → HMAC secret of the outside senders that may address it
    sender_secrets: dict[str, SecretStr] = {}
    #: bearer token of scripts that hand it work by HTTP, the same for all agents; None: a reference
    #: leads nowhere, and no token opens its hooks
    hook_token: SecretStr | None = None
    #: bearer token of this agent's own control door
    control_token: SecretStr
    #: Ed25519 public key (base64) that operator signatures must verify against
    operator_key: str

    @field_serializer(
        "nats_password",
        "irc_server_password",
        "irc_account_password",
        "discord_token",
        "signing_key",
        "hook_token",
        "control_token",
        when_used="json",
    )
    def _reveal(self, value: SecretStr | None) -> str | None:
        # Only the way through the fork server's private socket pair needs the plain text.
        return value.get_secret_value() if value else None

    @field_serializer(
        "model_keys", "mcp_secrets", "people_secrets", "sender_secrets", when_used="json"
    )
    def _reveal_keys(self, keys: dict[str, SecretStr]) -> dict[str, str]:
        return {name: value.get_secret_value() for name, value in keys.items()}

    @property
    def agent(self) -> AgentSettings:
        return self.settings.agent(self.name)

    def secrets(self) -> list[str]:
        """Values that must never show in this process's log."""
        held = (
            self.nats_password,
            self.control_token,
            self.irc_server_password,
            self.irc_account_password,
            self.discord_token,
            self.signing_key,
            self.hook_token,
            *self.model_keys.values(),
            *self.mcp_secrets.values(),
            *self.people_secrets.values(),
            *self.sender_secrets.values(),
        )
        return [s.get_secret_value() for s in held if s is not None]
