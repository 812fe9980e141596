"""What an agent is born with: its lease's epoch and its own secrets, nobody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bots.agent.spec import AgentSpec
from bots.secrets import resolve
from bots.settings import Settings
from bots.state import StateFolder
from bots.supervisor.ground import Ground
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

    def spec(self, name: str, epoch: int) -> dict[str, Any]:
        """The JSON form of `AgentSpec`; raises `bots.secrets.SecretError` for a reference that
        leads nowhere.
        """
        settings = self._settings
        agent = settings.agent(name)
        return AgentSpec(
            name=name,
            epoch=epoch,
            settings=settings,
            state_folder=self._state.path,
            prompts_folder=self._prompts,
            database_url=self._ground.database_url,
            nats_url=self._ground.nats_url,
            nats_password=SecretStr(self._identities.bus_passwords[name]),
            irc_host=self._ground.irc_host,
            irc_port=self._ground.irc_port,
            irc_server_password=_secret(settings.irc.server_password),
            irc_account_password=_secret(agent.irc.password),
            control_token=SecretStr(self._identities.door_tokens[name]),
            operator_key=self._identities.operator_key,
        ).model_dump(mode="json")


def _secret(reference: str | None) -> SecretStr | None:
    return SecretStr(resolve(reference)) if reference else None
